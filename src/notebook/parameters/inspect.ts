import type { ExecutionWarning } from '../../execution/execution';
import { isJsonObject, jsonKeys, type JsonObject, type JsonValue } from '../json';
import { type Notebook, tagsOf } from '../model';
import type { Declarations, DeclaredParameter } from './declared';
import { dialectOf } from './inject';
import { readPython } from './python-declarations';
import { readSimpleAssignments } from './simple-declarations';
import * as dialects from './dialects';

/** Result of {@link inspectParameters}. */
export interface ParameterInspection {
  /** Whether a cell is tagged `parameters`. */
  readonly hasCell: boolean;
  /** In the order of the cell. */
  readonly parameters: readonly DeclaredParameter[];
  /** All names that the cell assigns to. */
  readonly names: ReadonlySet<string>;
  /** `parametersCellInvalid` (line, from 1): only a part of the cell could be read. */
  readonly warnings: readonly ExecutionWarning[];
}

/**
 * Reads the first cell tagged `parameters`: Python with a real parser, other languages line by line. Never throws; what
 * cannot be parsed is left out with a warning. Kernel and language default to those of the notebook; the language then
 * to Python.
 */
export function inspectParameters(
  notebook: Notebook,
  kernelName = kernelNameOf(notebook),
  language = languageOf(notebook),
): ParameterInspection {
  const cell = notebook.cells.find((other) => tagsOf(other).includes('parameters'));
  if (cell === undefined) return { hasCell: false, parameters: [], names: new Set(), warnings: [] };
  const dialect = dialectOf(kernelName, language);
  const { parameters, names, errorLine } = read(cell.source, dialect);
  return {
    hasCell: true,
    parameters,
    names,
    warnings: errorLine === undefined ? [] : [{ code: 'parametersCellInvalid', args: [String(errorLine)] }],
  };
}

/**
 * Limits on a cell's words and signs, characters, and open brackets: the worst input within them takes about a second.
 */
const MAX_WORDS = 100_000;
const MAX_SOURCE = 8 * 1024 * 1024;
const MAX_DEPTH = 500;

function read(source: string, dialect: dialects.Dialect | undefined): Declarations {
  if (dialect === undefined) return { parameters: [], names: new Set() };
  const start = startOf(source);
  const found = dialect === dialects.python ? readPython(start) : readSimpleAssignments(start, dialect);
  if (start.length === source.length) return found;
  return { errorLine: start.split('\n').length, ...found };
}

/** The leading whole lines of a source that are within the limits. */
function startOf(source: string): string {
  let end = source.length;
  let words = 0;
  let depth = 0;
  for (const { index, 0: word } of source.matchAll(/\w+|[^\w\s]/g)) {
    if ('([{'.includes(word)) depth += 1;
    else if (')]}'.includes(word)) depth = Math.max(0, depth - 1);
    if (index <= MAX_SOURCE && ++words <= MAX_WORDS && depth <= MAX_DEPTH) continue;
    end = index;
    break;
  }
  return end === source.length ? source : source.slice(0, source.lastIndexOf('\n', end) + 1);
}

/**
 * Maximum number of warnings about undeclared parameters, and characters of a name: every answer about an execution
 * includes its warnings.
 */
const MAX_UNDECLARED = 100;
const MAX_NAME = 200;

/**
 * Warnings about parameters that the notebook does not declare, `parameterNotDeclared` (name), at most a hundred; and
 * the warnings of the inspection. Kernel and language as in {@link inspectParameters}.
 */
export function undeclaredParameters(
  notebook: Notebook,
  parameters: JsonObject,
  kernelName?: string,
  language?: string,
): ExecutionWarning[] {
  const { names, warnings } = inspectParameters(notebook, kernelName, language);
  const undeclared = jsonKeys(parameters)
    .filter((name) => !names.has(name))
    .slice(0, MAX_UNDECLARED);
  return [
    ...warnings,
    ...undeclared.map((name) => ({ code: 'parameterNotDeclared', args: [name.slice(0, MAX_NAME)] })),
  ];
}

function kernelNameOf(notebook: Notebook): string {
  return stringAt(notebook.metadata['kernelspec'], 'name') ?? '';
}

function languageOf(notebook: Notebook): string {
  const { kernelspec, language_info: info } = notebook.metadata;
  return stringAt(info, 'name') ?? stringAt(kernelspec, 'language') ?? 'python';
}

function stringAt(value: JsonValue | undefined, key: string): string | undefined {
  const item = isJsonObject(value) ? value[key] : undefined;
  return typeof item === 'string' ? item : undefined;
}
