import { MASK } from '../execution/secrets/secret-names';

/** Replaces secrets in a text. */
export type Mask = (text: string) => string;

/** A shorter value is masked only as a whole word: anything else would mask parts of many words. */
const MIN_PART = 4;
/** Lines of a secret, such as those of a private key, are masked by themselves from this length. */
const MIN_LINE = 8;
/** What may stand between the characters of a secret without being shown: colours of a terminal, HTML tags. */
const INVISIBLE = String.raw`(?:\x1b\[[\d;:]*m|<[^<>]{0,500}>)*`;
const MAY_BE_SPLIT = /[\x1b<]/; // eslint-disable-line no-control-regex -- colours start with a control character

/**
 * Masks the values of secrets wherever they occur in a text: as they are, and as Python, JSON, HTML and URLs spell them,
 * also if parts of them have different colours.
 */
export function maskOf(values: readonly string[]): Mask {
  const spellings = [...new Set(values.flatMap(spellingsOf))]
    .filter((spelling) => spelling.trim() !== '')
    .sort((one, other) => other.length - one.length);
  if (spellings.length === 0) return (text) => text;
  const plain = new RegExp(spellings.map((each) => bounded(each, '')).join('|'), 'gu');
  let split: RegExp | undefined;
  return (text) => {
    const masked = text.replace(plain, MASK);
    if (!MAY_BE_SPLIT.test(masked)) return masked;
    split ??= new RegExp(spellings.map((each) => bounded(each, INVISIBLE)).join('|'), 'gu');
    return masked.replace(split, MASK);
  };
}

function spellingsOf(value: string): string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  return [value, ...(lines.length > 1 ? lines.filter(({ length }) => length >= MIN_LINE) : [])].flatMap(
    (text) => {
      const json = JSON.stringify(text).slice(1, -1);
      // It fails for halves of surrogate pairs.
      const uri = encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, ''));
      return [
        text,
        json,
        json.replaceAll(String.raw`\"`, '"').replaceAll("'", String.raw`\'`),
        json.replaceAll(String.raw`\"`, '"'),
        // As Python's json.dumps spells what is not ASCII.
        json.replaceAll(
          /[\u0080-\uffff]/g,
          (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
        ),
        uri,
        uri.replaceAll('%20', '+'),
        ...['"', '&quot;', '&#34;'].flatMap((double) =>
          ["'", '&#39;', '&#x27;', '&apos;'].map((single) =>
            html(text).replaceAll('"', double).replaceAll("'", single),
          ),
        ),
      ];
    },
  );
}

/** As HTML, without its two spellings of quotation marks. */
function html(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The pattern of a spelling, with `between` allowed between its characters. */
function bounded(spelling: string, between: string): string {
  const pattern = Array.from(spelling, (character) =>
    character.replace(/[\\^$.|?*+()[\]{}/]/u, String.raw`\$&`),
  ).join(between);
  return spelling.length < MIN_PART ? String.raw`(?<![\p{L}\p{N}_])${pattern}(?![\p{L}\p{N}_])` : pattern;
}
