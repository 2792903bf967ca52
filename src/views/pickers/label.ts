import { oneLine } from '../text';

/** Text of strangers as the label of a pick: one line, and no `$(icon)` in it is drawn. */
export function label(text: string, longest?: number): string {
  return oneLine(text, longest).replaceAll('$(', '\\$(');
}
