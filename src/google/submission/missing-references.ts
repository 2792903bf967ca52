import { parser } from '@lezer/python';
import type { SyntaxNode, Tree } from '@lezer/common';
import path from 'node:path/posix';

/** Folders in which projects keep modules, besides the notebook's folder and its parents. */
const SOURCE_FOLDERS = ['src', 'lib', 'python'];
/** `%run script.py`, `!python train.py --x`, `%load utils.py`; captures the words that follow. */
const COMMAND = /^\s*(?:!|%{1,2}(?:run|load|loadpy|bash|sh|script|system|sx)\b)\s*(.*)$/;

/**
 * Modules and files of the workspace that a Python notebook imports or reads by a literal path, and that a remote
 * machine will not have, as the notebook names them: `helpers.plots`, `../data/sales.csv`. This is a static analysis:
 * names that are built at run time are not found.
 * @param cells sources of the notebook's code cells
 * @param notebookPath path of the notebook relative to the workspace's folder, with `/`
 * @param files paths of the files in that folder, relative to it, with `/`
 */
export function missingReferences(
  cells: readonly string[],
  notebookPath: string,
  files: readonly string[],
): string[] {
  const workspace = new Workspace(
    path.dirname(notebookPath),
    files.filter((file) => file !== notebookPath),
  );
  const found = new Set<string>();
  for (const source of cells) {
    const { python, words } = separate(source);
    const uses = usesOf(python);
    for (const module of uses.modules) if (workspace.hasModule(module)) found.add(module);

    for (const name of [...uses.strings, ...words]) if (workspace.hasFile(name)) found.add(name);
  }
  return [...found];
}

/** Blanks the lines that are IPython syntax instead of Python, and collects their words. */
function separate(source: string): { python: string; words: string[] } {
  const words: string[] = [];
  const wholeCell = /^\s*%%(?!time|capture)/.test(source);
  const lines = source.split('\n').map((line) => {
    const command = COMMAND.exec(line);
    if (command === null && !wholeCell && !/^\s*%/.test(line)) return line;
    words.push(...(command?.[1] ?? line).split(/[\s;|&<>"'()=]+/).filter((word) => word !== ''));
    return '';
  });
  return { python: lines.join('\n'), words };
}

function usesOf(source: string): { modules: string[]; strings: string[] } {
  const tree: Tree = parser.parse(source);
  const modules: string[] = [];
  const strings: string[] = [];
  tree.iterate({
    enter: (node) => {
      if (node.name === 'ImportStatement') {
        modules.push(...importsOf(node.node, source));
      } else if (node.name === 'String') {
        const literal = literalOf(source.slice(node.from, node.to));
        if (literal !== undefined) strings.push(literal);
      }
    },
  });
  return { modules, strings };
}

/** `import a.b, c as d` names a.b and c; `from .x import y` names .x and .x.y, where y may be a module. */
function importsOf(statement: SyntaxNode, source: string): string[] {
  const textOf = (node: SyntaxNode): string => source.slice(node.from, node.to);
  const children: SyntaxNode[] = [];
  for (let child = statement.firstChild; child !== null; child = child.nextSibling) children.push(child);
  const importAt = children.findIndex((child) => child.name === 'import');
  const names = (nodes: readonly SyntaxNode[]): string[] =>
    nodes
      .map((node) => (node.name === ',' ? ',' : node.name === 'as' ? ' as ' : textOf(node)))
      .join('')
      .replace(/[()\s]+(?!as )/g, (space) => (space.includes('(') || space.includes(')') ? '' : space))
      .split(',')
      .map((name) => name.replace(/\sas\s.*$/s, '').trim())
      .filter((name) => name !== '' && name !== '*');
  if (children[0]?.name !== 'from') return names(children.slice(importAt + 1));
  const module = children.slice(1, importAt).map(textOf).join('').replace(/\s/g, '');
  const separator = module.endsWith('.') ? '' : '.';
  return [
    module,
    ...names(children.slice(importAt + 1)).map((name) => `${module}${separator}${name}`),
  ].filter((name) => !/^\.*$/.test(name));
}

/** The value of a plain string literal; undefined for f-strings, bytes and texts that cannot be a path. */
function literalOf(text: string): string | undefined {
  const match = /^([rRuU]?)("""|'''|"|')([^]*)\2$/.exec(text);
  const content = match?.[3];
  if (content === undefined || content === '' || content.length > 500 || content.includes('\n'))
    return undefined;
  return match?.[1]?.toLowerCase() === 'r' ? content : content.replace(/\\(["'\\])/g, '$1');
}

class Workspace {
  private readonly files: ReadonlySet<string>;
  private readonly folders = new Set<string>();
  /** Import paths: the notebook's folder and all folders above it, each with its source folders. */
  private readonly roots: readonly string[];

  constructor(
    private readonly folder: string,
    files: readonly string[],
  ) {
    this.files = new Set(files.map((file) => path.normalize(file)));
    for (const file of this.files) {
      if (!file.endsWith('.py')) continue;
      for (const parent of foldersAbove(path.dirname(file))) this.folders.add(parent);
    }
    this.roots = [...foldersAbove(folder), '.'].flatMap((root) => [
      root,
      ...SOURCE_FOLDERS.map((name) => path.join(root, name)),
    ]);
  }

  /**
   * Whether a module is a file or package in the workspace. If `name` in `from package import name` is not a module,
   * only the package is found.
   */
  hasModule(name: string): boolean {
    const dots = /^\.*/.exec(name)?.[0].length ?? 0;
    const parts = name.slice(dots).split('.').join('/');
    const roots = dots === 0 ? this.roots : [path.join(this.folder, ...Array<string>(dots - 1).fill('..'))];
    return roots
      .map((root) => path.join(root, parts))
      .some(
        (target) =>
          this.folders.has(target) ||
          this.files.has(`${target}.py`) ||
          this.files.has(`${target}/__init__.py`),
      );
  }

  /** Whether a file exists at a path relative to the notebook's folder or to the workspace. */
  hasFile(name: string): boolean {
    if (path.isAbsolute(name) || /^[a-z]+:\/\//i.test(name)) return false;
    return this.files.has(path.join(this.folder, name)) || this.files.has(path.normalize(name));
  }
}

/** A folder and its parents up to the workspace's folder, which is excluded. */
function foldersAbove(folder: string): string[] {
  const folders: string[] = [];
  for (let parent = path.normalize(folder); parent !== path.dirname(parent); parent = path.dirname(parent))
    folders.push(parent);
  return folders;
}
