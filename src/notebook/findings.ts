import type { ExecutionWarning } from '../execution/execution';

/** Kinds of findings that are kept: the warnings of an execution are in every answer about it. */
const MAX_FINDINGS = 100;

/**
 * What was changed in a document to make it valid, counted, so that 20,000 cells with one flaw are one warning, and of 20,000 flaws
 * the first hundred are told.
 * Codes, with what their `args` say:
 * - `formatUpgraded` (version): the document was of nbformat 3.
 * - `fieldMoved` (field, count): moved into the metadata beside it, for 4.5 knows no such field.
 * - `fieldDropped` (field, count): dropped, for 4.5 knows no such field, or not with that value.
 * - `metadataChanged` (field, count): reduced to what 4.5 allows there.
 * - `cellTypeChanged` (type, count): a cell of an unknown type became a raw cell.
 * - `cellIdChanged` (id, count): invalid or used twice, replaced.
 * - `outputDropped` (type, count): an old output that is none of 4.5.
 */
export class Findings {
  private readonly found = new Map<string, { code: string; subject: string; count: number }>();

  add(code: string, subject: string): void {
    const key = `${code} ${subject}`;
    const entry = this.found.get(key);
    if (entry) entry.count++;
    else if (this.found.size < MAX_FINDINGS) this.found.set(key, { code, subject, count: 1 });
  }

  warnings(): ExecutionWarning[] {
    return [...this.found.values()].map(({ code, subject, count }) => ({
      code,
      args: code === 'formatUpgraded' ? [subject] : [subject, String(count)],
    }));
  }
}
