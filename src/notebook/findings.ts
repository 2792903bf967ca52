import type { ExecutionWarning } from '../execution/execution';

/** Maximum kinds of findings: every answer about an execution includes its warnings. */
const MAX_FINDINGS = 100;

/**
 * Changes that made a document valid, counted by kind: 20,000 cells with the same fault give one warning, and only the
 * first hundred kinds are reported. Codes, with the meaning of their `args`:
 * - `formatUpgraded` (version): the document had nbformat 3.
 * - `fieldMoved` (field, count): moved into the metadata, because 4.5 does not know the field.
 * - `fieldDropped` (field, count): dropped, because 4.5 does not know the field or forbids its value.
 * - `metadataChanged` (field, count): reduced to what 4.5 allows.
 * - `cellTypeChanged` (type, count): a cell of an unknown type became a raw cell.
 * - `cellIdChanged` (id, count): an invalid or duplicate id was replaced.
 * - `outputDropped` (type, count): an old output of a type that 4.5 does not have.
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
