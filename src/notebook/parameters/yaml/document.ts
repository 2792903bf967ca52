import { Composer, type Document, Lexer, LineCounter, Parser } from 'yaml';
import { ParametersError } from '../errors';
import { losslessNumbers } from './numbers';

/*
 * Reads untrusted YAML within limits. Size and nesting are checked before anything recursive runs: the parser's
 * recursion can exhaust the stack, and if V8 then compiles a regular expression, the whole process crashes.
 */

/** Maximum size of a text with parameters, in bytes of UTF-8. */
export const MAX_PARAMETERS_BYTES = 8 * 1024 * 1024;
/** Maximum levels of lists and mappings. Python itself allows at most 200 nested brackets. */
export const MAX_DEPTH = 200;
/**
 * Maximum YAML tokens (names, values, indicators, spaces, line breaks): some 40,000 lines `name: value`, a second of
 * work.
 */
const MAX_TOKENS = 200_000;
/** Maximum aliases (`*name`) in a text. */
const MAX_ALIASES = 1000;

/** A document without errors, and the positions of its nodes. */
export interface YamlText {
  readonly document: Document.Parsed;
  /** Line and column, both from 1, of an offset, for example the start of a node's `range`. */
  readonly position: (offset: number) => { line: number; col: number };
}

/**
 * Reads one YAML document: YAML 1.2 core schema with `<<`; numbers keep their spelling.
 * @throws ParametersError `yamlInvalid` (also for a text with too deep nesting, too many tokens or too many aliases),
 * `tooLarge`.
 */
export function readYaml(text: string): YamlText {
  checkSize(text);
  const lines = new LineCounter();
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: true,
    customTags: losslessNumbers,
    logLevel: 'error',
    // The library compares each key with all earlier ones; parse.ts has a faster check.
    uniqueKeys: false,
  });
  const documents: Document.Parsed[] = [];
  let tokens = 0;
  let aliases = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme.startsWith('*')) aliases++;
    if (++tokens > MAX_TOKENS || aliases > MAX_ALIASES) {
      const most = aliases > MAX_ALIASES ? `${MAX_ALIASES} aliases` : `${MAX_TOKENS} YAML tokens`;
      throw yamlInvalid(`More than ${most}`, lines.linePos(parser.offset));
    }
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token));
    // The stack also contains the document and a scalar.
    if (parser.stack.length > MAX_DEPTH + 2) throw tooDeep(lines.linePos(parser.offset));
    if (documents.length > 0) break;
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end(true, text.length));
  const [document, another] = documents;
  // The only warning is an unknown tag: without it, the value would not be what the text says.
  const [problem] = [...(document?.errors ?? []), ...(document?.warnings ?? [])];
  if (problem) throw yamlInvalid(problem.message, lines.linePos(problem.pos[0]), problem);
  if (document === undefined || another !== undefined)
    throw yamlInvalid('More than one document', lines.linePos(another?.range[0] ?? 0));
  return { document, position: lines.linePos };
}

/** @throws ParametersError `tooLarge` */
export function checkSize(text: string): void {
  const bytes = text.length > MAX_PARAMETERS_BYTES ? text.length : Buffer.byteLength(text);
  if (bytes <= MAX_PARAMETERS_BYTES) return;
  const args = { bytes: String(bytes), limit: String(MAX_PARAMETERS_BYTES) };
  throw new ParametersError('tooLarge', `Parameters have at most ${MAX_PARAMETERS_BYTES} bytes`, args);
}

/** The error for lists and mappings nested deeper than {@link MAX_DEPTH}. */
export function tooDeep(position?: { line: number; col: number }): ParametersError {
  return yamlInvalid(`Nested more than ${MAX_DEPTH} levels deep`, position);
}

/** Maximum characters of an error's detail: it may quote the text. */
const MAX_DETAIL = 300;

/** A ParametersError `yamlInvalid`. @param position line and column, from 1; 0 if unknown. */
export function yamlInvalid(
  message: string,
  { line, col }: { line: number; col: number } = { line: 1, col: 1 },
  cause?: unknown,
): ParametersError {
  const detail = (message.split('\n')[0] ?? '').slice(0, MAX_DETAIL);
  const args = { line: String(Math.max(line, 1)), column: String(Math.max(col, 1)), detail };
  return new ParametersError(
    'yamlInvalid',
    `Parameters are not valid YAML: ${detail} at line ${args.line}, column ${args.column}`,
    args,
    { cause },
  );
}
