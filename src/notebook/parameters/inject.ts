import type { ExecutionWarning } from '../../execution/execution';
import { newCellId } from '../cell-ids';
import { jsonKeys, JsonNumber, type JsonObject, type JsonValue } from '../json';
import { type CodeCell, type Notebook, tagsOf } from '../model';
import * as dialects from './dialects';
import type { Dialect } from './dialects';
import { ParametersError } from './errors';
import { kindOf } from './values';

/** Kernels whose language is missing or misleading. */
const BY_KERNEL = new Map<string, Dialect>([
  ['.net-csharp', dialects.csharp],
  ['.net-fsharp', dialects.fsharp],
  ['.net-powershell', dialects.powershell],
  ['pysparkkernel', dialects.python],
  ['pyspark3kernel', dialects.python],
  ['sparkkernel', dialects.scala],
  ['sparkrkernel', dialects.r],
  ['ir', dialects.r],
  ['bash', dialects.bash],
  ['deno', dialects.javascript],
  ['tslab', dialects.javascript],
  ['jslab', dialects.javascript],
]);

/** Languages as in kernelspecs and `language_info`, in lower case. */
const BY_LANGUAGE = new Map<string, Dialect>([
  ['python', dialects.python],
  ['r', dialects.r],
  ['julia', dialects.julia],
  ['scala', dialects.scala],
  ['bash', dialects.bash],
  ['javascript', dialects.javascript],
  ['typescript', dialects.javascript],
  ['c#', dialects.csharp],
  ['csharp', dialects.csharp],
  ['f#', dialects.fsharp],
  ['fsharp', dialects.fsharp],
  ['powershell', dialects.powershell],
  ['pwsh', dialects.powershell],
  ['matlab', dialects.matlab],
]);

/**
 * Adds a cell with the parameters to the notebook, in place: it replaces the first cell tagged `injected-parameters`,
 * else it follows the first one tagged `parameters`, else it becomes the first cell. Without parameters, adds no cell.
 * Does not warn about names that the notebook does not declare: `undeclaredParameters` does, but it loads a parser.
 * @param kernelName name of the kernelspec; takes precedence over the language.
 * @param language as in the kernelspec or `language_info`.
 * @throws ParametersError if the language is unsupported, or a name or value cannot be written in it.
 */
export function injectParameters(
  notebook: Notebook,
  parameters: JsonObject,
  kernelName: string,
  language: string,
): ExecutionWarning[] {
  if (jsonKeys(parameters).length === 0) return [];
  const { cells } = notebook;
  const declaring = cells.findIndex((other) => tagsOf(other).includes('parameters'));
  const declaredIn = cells[declaring]?.source ?? '';
  const source = parametersSource(parameters, kernelName, language, declaredIn);
  const cell: CodeCell = {
    cell_type: 'code',
    execution_count: null,
    id: newCellId(`injected ${source}`, (id) => cells.some((other) => other.id === id)),
    metadata: { tags: ['injected-parameters'] },
    outputs: [],
    source,
  };
  const earlier = cells.findIndex((other) => tagsOf(other).includes('injected-parameters'));
  if (earlier >= 0) cells.splice(earlier, 1, cell);
  else cells.splice(declaring + 1, 0, cell);
  return [];
}

/**
 * Source code that assigns the parameters: a comment line, then one assignment per line.
 * @param declaredIn source of the cell tagged `parameters`: some languages must repeat its kind of declaration.
 * @throws ParametersError like {@link injectParameters}.
 */
export function parametersSource(
  parameters: JsonObject,
  kernelName: string,
  language: string,
  declaredIn = '',
): string {
  const dialect = dialectOf(kernelName, language);
  if (dialect === undefined) {
    throw new ParametersError('languageUnsupported', `No parameters in ${language} (kernel ${kernelName})`, {
      language,
      kernel: kernelName,
    });
  }
  checkNames(parameters, dialect);
  const lines = jsonKeys(parameters).map((name) => {
    const value = parameters[name] ?? null;
    const literal = literalOf(value, dialect);
    if (literal === undefined) {
      throw new ParametersError(
        'valueUnsupported',
        `${dialect.name} has no literal for the value of ${name}`,
        {
          name,
          language: dialect.name,
        },
      );
    }
    return dialect.assign(name, literal, value, declaredIn);
  });
  return [dialect.comment('Parameters'), ...lines, ''].join('\n');
}

/** @throws ParametersError `nameInvalid` if a parameter's name cannot be assigned in this language. */
export function checkNames(parameters: JsonObject, { identifier, name: language }: Dialect): void {
  for (const name of jsonKeys(parameters)) {
    if (identifier.test(name)) continue;
    throw new ParametersError('nameInvalid', `Not a name in ${language}: ${name}`, { name, language });
  }
}

/** The dialect of a kernel: by its name, else by its language. */
export function dialectOf(kernelName: string, language: string): Dialect | undefined {
  return BY_KERNEL.get(kernelName.toLowerCase()) ?? BY_LANGUAGE.get(language.toLowerCase());
}

function literalOf(value: JsonValue, dialect: Dialect): string | undefined {
  if (value === null) return dialect.null;
  if (typeof value === 'boolean') return value ? dialect.true : dialect.false;
  if (typeof value === 'string') return dialect.string(value);
  if (typeof value === 'number' || value instanceof JsonNumber) return numberLiteral(value, dialect);
  if (Array.isArray(value)) {
    const literals = value.map((item) => literalOf(item, dialect));
    return isWhole(literals) ? dialect.list(literals, value) : undefined;
  }
  const entries = jsonKeys(value).map((key) => {
    const item = value[key] ?? null;
    return { key, keyLiteral: dialect.string(key), literal: literalOf(item, dialect), value: item };
  });
  const whole = entries.flatMap(({ keyLiteral, literal, ...entry }) =>
    keyLiteral === undefined || literal === undefined ? [] : [{ ...entry, keyLiteral, literal }],
  );
  return whole.length === entries.length ? dialect.object(whole) : undefined;
}

function isWhole(literals: readonly (string | undefined)[]): literals is readonly string[] {
  return !literals.includes(undefined);
}

function numberLiteral(number: number | JsonNumber, dialect: Dialect): string {
  const text = String(number);
  const kind = kindOf(number);
  if (kind !== 'float') return dialect.integer(text, kind);
  const value = Number(number);
  if (Number.isNaN(value)) return dialect.nan;
  if (Number.isFinite(value)) return text;
  return value > 0 ? dialect.infinity : dialect.negativeInfinity;
}
