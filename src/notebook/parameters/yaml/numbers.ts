import type { CollectionTag, ScalarTag, Tags } from 'yaml';
import type { JsonNumber } from '../../json';
import { decimal } from '../values';

/** The core schema's tags, with numbers that keep their spelling. */
export function losslessNumbers(tags: Tags): Tags {
  return tags.map((tag) => {
    if (typeof tag === 'string' || !isNumberTag(tag)) return tag;
    const resolve = (source: string, onError: (message: string) => void) => {
      // Python rejects longer integers, too, and converting a very long hexadecimal one to decimal takes minutes.
      if (source.length <= MAX_DIGITS) return toNumber(source);
      onError(`A number of more than ${MAX_DIGITS} digits`);
      return 0;
    };
    return { ...tag, resolve };
  });
}

/** Python's own limit, see `sys.set_int_max_str_digits`. */
const MAX_DIGITS = 4300;

function isNumberTag(tag: CollectionTag | ScalarTag): tag is ScalarTag {
  return tag.tag === 'tag:yaml.org,2002:int' || tag.tag === 'tag:yaml.org,2002:float';
}

function toNumber(source: string): number | JsonNumber {
  if (/nan$/i.test(source)) return Number.NaN;
  if (/inf$/i.test(source))
    return source.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return decimal(source);
}
