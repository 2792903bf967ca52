import { fieldInvalid } from '../create/request';

/*
 * Filters of lists, as in Google's APIs (google.aip.dev/160): `state = FAILED AND (labels.team:a OR -source:*) sales`.
 * OR binds closer than AND; terms side by side are joined by AND. Functions are not supported.
 */

export const OPERATORS = ['<=', '>=', '!=', '=', '<', '>', ':'] as const;
export type Operator = (typeof OPERATORS)[number];

/** A value in a filter. */
export interface Literal {
  /** As written, without quotes and escapes. */
  readonly text: string;
  /** The text between wildcards (`*`); one part if there are none. */
  readonly parts: readonly string[];
}

export type Predicate<T> = (item: T) => boolean;

/**
 * Makes the predicate of one comparison.
 * @param path the field and what follows its dots; empty for a value alone, which has no operator.
 * @throws ServiceError `fieldInvalid`
 */
export type Restrict<T> = (
  path: readonly string[],
  operator: Operator | undefined,
  value: Literal,
) => Predicate<T>;

const MAX_LENGTH = 4096;
const MAX_COMPARISONS = 100;
const MAX_DEPTH = 20;

/**
 * Parses a filter into a predicate.
 * @throws ServiceError INVALID_ARGUMENT `fieldInvalid`, args `field`: `filter`
 */
export function parseFilter<T>(text: string, restrict: Restrict<T>): Predicate<T> {
  if (text.length > MAX_LENGTH) throw filterInvalid(`has more than ${MAX_LENGTH} characters`);
  return new FilterParser(text, restrict).parse();
}

/** An error of a filter. */
export function filterInvalid(problem: string): Error {
  return fieldInvalid('filter', problem);
}

/** The field and operator that a list of values in parentheses belongs to. */
interface Comparison {
  readonly path: readonly string[];
  readonly operator: Operator;
}

class FilterParser<T> {
  private position = 0;
  private comparisons = 0;
  private depth = 0;

  constructor(
    private readonly text: string,
    private readonly restrict: Restrict<T>,
  ) {}

  parse(): Predicate<T> {
    const predicate = this.atEnd() ? () => true : this.expression(undefined);
    if (!this.atEnd()) throw this.unexpected();
    return predicate;
  }

  /** Terms joined by AND or by nothing. */
  private expression(comparison: Comparison | undefined): Predicate<T> {
    if (++this.depth > MAX_DEPTH) throw filterInvalid(`is nested more than ${MAX_DEPTH} levels deep`);
    const all = [this.factor(comparison)];
    for (;;) {
      const joined = this.keyword('AND');
      if (!joined && (this.atEnd() || this.peek(/[)]/y))) break;
      all.push(this.factor(comparison));
    }
    this.depth--;
    return all.length === 1 && all[0] !== undefined ? all[0] : (item) => all.every((each) => each(item));
  }

  /** Terms joined by OR. */
  private factor(comparison: Comparison | undefined): Predicate<T> {
    const some = [this.term(comparison)];
    while (this.keyword('OR')) some.push(this.term(comparison));
    return some.length === 1 && some[0] !== undefined ? some[0] : (item) => some.some((each) => each(item));
  }

  private term(comparison: Comparison | undefined): Predicate<T> {
    if (this.keyword('NOT') || this.token(/-(?=[^\s)])/y) !== undefined) {
      const negated = this.simple(comparison);
      return (item) => !negated(item);
    }
    return this.simple(comparison);
  }

  private simple(comparison: Comparison | undefined): Predicate<T> {
    if (this.token(/\(/y) !== undefined) return this.parenthesized(comparison);
    if (comparison !== undefined) return this.compare(comparison.path, comparison.operator, this.value());

    const start = this.position;
    const path = [this.member()];
    while (this.token(/\./y, '') !== undefined) path.push(this.member());
    if (this.peek(/\(/y, '')) throw filterInvalid('functions are not supported');
    const operator = OPERATORS.find((each) => this.token(new RegExp(each, 'y')) !== undefined);
    if (operator !== undefined) {
      if (this.token(/\(/y) !== undefined) return this.parenthesized({ path, operator });
      return this.compare(path, operator, this.value());
    }
    // Not a comparison: a value alone, such as `sales.ipynb`.
    this.position = start;
    return this.compare([], undefined, this.value());
  }

  private parenthesized(comparison: Comparison | undefined): Predicate<T> {
    const inner = this.expression(comparison);
    if (this.token(/\)/y) === undefined) throw filterInvalid('has a ( without )');
    return inner;
  }

  private compare(path: readonly string[], operator: Operator | undefined, value: Literal): Predicate<T> {
    if (++this.comparisons > MAX_COMPARISONS)
      throw filterInvalid(`has more than ${MAX_COMPARISONS} comparisons`);

    return this.restrict(path, operator, value);
  }

  /** The name of a field, or a part of it. */
  private member(): string {
    const quoted = this.quoted();
    if (quoted !== undefined) return quoted.text;
    return this.word(/[^\s()"'<>=!:,.]+/y);
  }

  private value(): Literal {
    const quoted = this.quoted();
    if (quoted !== undefined) return quoted;
    // Times may stand without quotes although they have colons.
    const time = this.token(/\d{4}-\d{2}-\d{2}[Tt][\d:.]+(?:[Zz]|[+-]\d{2}:\d{2})/y);
    const text = time ?? this.word(/[^\s()"'<>=!:,]+/y);
    return { text, parts: text.split('*') };
  }

  /** A text in quotes; a backslash makes the next character an ordinary one. */
  private quoted(): Literal | undefined {
    const token = this.token(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/sy);
    if (token === undefined) {
      if (this.peek(/["']/y)) throw filterInvalid('has a quote without its end');
      return undefined;
    }
    const parts = [''];
    for (const [piece] of token.slice(1, -1).matchAll(/\\.|[^\\]/gsu)) {
      if (piece === '*') parts.push('');
      else parts.push(`${parts.pop() ?? ''}${piece.startsWith('\\') ? piece.slice(1) : piece}`);
    }
    return { text: parts.join('*'), parts };
  }

  /** A text without quotes, which is no keyword. */
  private word(pattern: RegExp): string {
    const before = this.position;
    const word = this.token(pattern);
    if (word !== undefined && !/^(?:AND|OR|NOT)$/.test(word)) return word;
    this.position = before;
    throw this.unexpected();
  }

  private keyword(word: 'AND' | 'OR' | 'NOT'): boolean {
    return this.token(new RegExp(`${word}(?=[\\s(])`, 'y')) !== undefined;
  }

  /** Takes the next token if it matches; `space` is what may precede it. */
  private token(pattern: RegExp, space = '\\s*'): string | undefined {
    const start = this.skip(space);
    pattern.lastIndex = start;
    const [token] = pattern.exec(this.text) ?? [];
    if (token !== undefined) this.position = start + token.length;
    return token;
  }

  private peek(pattern: RegExp, space?: string): boolean {
    const before = this.position;
    const found = this.token(pattern, space) !== undefined;
    this.position = before;
    return found;
  }

  private skip(space: string): number {
    if (space === '') return this.position;
    let position = this.position;
    while (/\s/.test(this.text[position] ?? '')) position++;
    return position;
  }

  private atEnd(): boolean {
    return this.skip('\\s*') >= this.text.length;
  }

  private unexpected(): Error {
    const rest = this.text.slice(this.skip('\\s*'));
    return filterInvalid(
      rest === '' ? 'is incomplete' : `is not valid at ${JSON.stringify(rest.slice(0, 40))}`,
    );
  }
}

/** Whether a text matches a literal with its wildcards. Takes time proportional to the text. */
export function matchesLiteral(text: string, { parts }: Pick<Literal, 'parts'>): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let position = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return text.length - last.length >= position && text.endsWith(last);
}
