import type { SyntaxNode, Tree } from '@lezer/common';
import { parser } from '@lezer/python';
import type { JsonValue } from '../json';
import { declare, type Declarations, type DeclaredParameter } from './declared';
import { maskIPython } from './ipython-lines';
import { childrenOf, pythonLiteral } from './python-literal';

/**
 * Reads the assignments of a Python cell. Top-level assignments to plain names are parameters; names assigned in
 * blocks, loops and imports are only collected as names. IPython's own syntax (`%…`, `x = !…`, `x?`) is skipped.
 */
export function readPython(source: string): Declarations {
  const tree = parse(maskIPython(source));
  const errorAt = firstError(tree);
  const parameters = new Map<string, DeclaredParameter>();
  for (const statement of statementsOf(tree)) {
    if (statement.name !== 'AssignStatement' || hasError(statement)) continue;
    for (const parameter of parametersOf(statement, source)) parameters.set(parameter.name, parameter);
  }
  return {
    parameters: [...parameters.values()],
    names: assignedNames(tree, source),
    ...(errorAt === undefined ? {} : { errorLine: source.slice(0, errorAt).split('\n').length }),
  };
}

/**
 * The parser reads `1.` and `1.e5` as attributes of 1 (@lezer/python 1.1), so they are replaced by numbers of the same
 * length. The values are read from the original source.
 */
function parse(source: string): Tree {
  return parser.parse(
    source.replace(
      /(?<![\w.])(\d[\d_]*)\.(?:(?=[eE][+-]?\d)|(?![\w.]))/g,
      (whole, digits: string, offset: number) =>
        /[eE]/.test(source[offset + whole.length] ?? '') ? `${digits}0` : `${digits}j`,
    ),
  );
}

function statementsOf(tree: Tree): SyntaxNode[] {
  return childrenOf(tree.topNode).flatMap((node) =>
    node.name === 'StatementGroup' ? childrenOf(node) : [node],
  );
}

function firstError(tree: Tree): number | undefined {
  let position: number | undefined;
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) position ??= node.from;
      return position === undefined;
    },
  });
  return position;
}

function hasError(statement: SyntaxNode): boolean {
  let found = false;
  statement.cursor().iterate((node) => {
    found ||= node.type.isError;
    return !found;
  });
  return found;
}

/**
 * Maximum names in one statement, and levels of brackets around them: larger statements are not parameters that a user
 * edits.
 */
const MAX_TARGETS = 100;

/** The parameters of `a: int = 1`, `a = b = 1`, `a, b = 1, 2` or `a: int`. */
function parametersOf(statement: SyntaxNode, source: string): DeclaredParameter[] {
  const sides = splitAt(childrenOf(statement), 'AssignOp');
  const hint = childrenOf(statement).find(({ name }) => name === 'TypeDef');
  const comment = commentAfter(statement, source);
  const values = sides.length > 1 ? itemsOf(sides.at(-1) ?? []) : [];
  const named = sides.length > 1 ? sides.slice(0, -1) : sides;
  return named.slice(0, MAX_TARGETS).flatMap((side) => {
    const targets = itemsOf(side);
    if (targets.length > MAX_TARGETS) return [];
    // One value for one name, or as many values as names; otherwise the values cannot be matched to names.
    const single = targets.length === 1;
    return targets.flatMap((target, index) => {
      if (target.name !== 'VariableName') return [];
      const nodes = single
        ? sides.length > 1
          ? (sides.at(-1) ?? [])
          : []
        : pick(values, index, targets.length);
      return [parameterOf(target, hint, nodes, comment, source)];
    });
  });
}

function pick(values: readonly SyntaxNode[], index: number, count: number): SyntaxNode[] {
  const value = values.length === count ? values[index] : undefined;
  return value ? [value] : [];
}

function parameterOf(
  target: SyntaxNode,
  hint: SyntaxNode | undefined,
  nodes: readonly SyntaxNode[],
  comment: string,
  source: string,
): DeclaredParameter {
  const [first] = nodes;
  const last = nodes.at(-1);
  const hintText = hint && unquoted(source.slice(hint.from, hint.to).replace(/^:\s*/, '').trim());
  const defaultSource = first && last ? source.slice(first.from, last.to) : '';
  const value =
    nodes.length > 1
      ? tupleOf(nodes, source)
      : first === undefined
        ? undefined
        : pythonLiteral(first, source);
  return declare(source.slice(target.from, target.to), hintText, defaultSource, comment, (text) =>
    text === defaultSource ? value : parseLiteral(text),
  );
}

/** `a = 1, 2` */
function tupleOf(nodes: readonly SyntaxNode[], source: string): JsonValue[] | undefined {
  const items = nodes.filter(({ name }) => name !== ',').map((node) => pythonLiteral(node, source));
  return items.every((item) => item !== undefined) ? items : undefined;
}

function parseLiteral(text: string): JsonValue | undefined {
  const statement = parse(text).topNode.firstChild;
  const expression = statement?.name === 'ExpressionStatement' ? statement.firstChild : null;
  return expression?.from === 0 && expression.to === text.length
    ? pythonLiteral(expression, text)
    : undefined;
}

function unquoted(hint: string): string {
  return /^(["']).*\1$/.test(hint) ? hint.slice(1, -1) : hint;
}

/** The comment that begins on the line where the statement ends, without its mark. */
function commentAfter(statement: SyntaxNode, source: string): string {
  const lineEnd = source.indexOf('\n', statement.to);
  const rest = source.slice(statement.to, lineEnd < 0 ? undefined : lineEnd);
  const text = rest.trimStart().replace(/^;/, '').trimStart();
  return text.startsWith('#') ? text.replace(/^#+/, '').trim() : '';
}

function splitAt(nodes: readonly SyntaxNode[], name: string): SyntaxNode[][] {
  const parts: SyntaxNode[][] = [[]];
  for (const node of nodes) {
    if (node.name === name) parts.push([]);
    else if (node.name !== 'TypeDef') parts.at(-1)?.push(node);
  }
  return parts;
}

/** The items of one side of an assignment, whether in brackets or not. */
function itemsOf(side: readonly SyntaxNode[]): SyntaxNode[] {
  const [only] = side;
  const inner = side.length === 1 && only && /^(?:Tuple|Array|Parenthesized)Expression$/.test(only.name);
  return (inner ? childrenOf(only) : side).filter(({ name }) => !/^[()[\],]$/.test(name));
}

/** Nodes with their own scope: assignments in them create no variables of the notebook. */
const SCOPES = /^(?:FunctionDefinition|ClassDefinition|LambdaExpression|.*ComprehensionExpression)$/;

/** All names that become variables of the notebook: by assignment, loop, `with`, import, definition or `:=`. */
function assignedNames(tree: Tree, source: string): Set<string> {
  const names = new Set<string>();
  const add = (node: SyntaxNode) => names.add(source.slice(node.from, node.to));
  tree.iterate({
    enter: ({ node }) => {
      if (/^(?:AssignStatement|NamedExpression)$/.test(node.name)) {
        const children = childrenOf(node);
        const lastOperator = children.map(({ name }) => name).lastIndexOf('AssignOp');
        const targets = lastOperator < 0 ? children : children.slice(0, lastOperator);
        for (const target of targets) forEachTarget(target, add);
      } else if (/^(?:ForStatement|WithStatement|ImportStatement)$/.test(node.name)) {
        for (const child of childrenOf(node)) forEachTarget(child, add);
      } else if (/^(?:FunctionDefinition|ClassDefinition)$/.test(node.name)) {
        const name = node.getChild('VariableName');
        if (name) add(name);
      }
      return !SCOPES.test(node.name);
    },
  });
  return names;
}

function forEachTarget(node: SyntaxNode, add: (name: SyntaxNode) => unknown, depth = 0): void {
  if (node.name === 'VariableName') add(node);
  else if (depth < MAX_TARGETS && /^(?:Tuple|Array|Parenthesized)Expression$/.test(node.name))
    for (const child of childrenOf(node)) forEachTarget(child, add, depth + 1);
}
