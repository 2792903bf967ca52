import * as z from 'zod/mini';

/*
 * The records of {@link RecordFolder}. Loaded when there is one to read.
 */

/** An execution whose end is to be reported. Kept until the user could see the report. */
export const NoticeSchema = z.object({
  version: z.literal(1),
  serviceId: z.string(),
  /** Resource name. */
  name: z.string(),
  /**
   * The folder or workspace file it was submitted from; empty without one. Only windows of this workspace report it.
   */
  workspace: z.string(),
  /** The extension host that submitted it. */
  processId: z.number(),
  /** The same id for all executions that were submitted and are reported together; absent if it was submitted alone. */
  batch: z.optional(z.string()),
});
export type Notice = z.infer<typeof NoticeSchema>;

/** A deletion that the user requested and can still undo. */
export const DeletionSchema = z.object({
  version: z.literal(1),
  serviceId: z.string(),
  /** Resource name. */
  name: z.string(),
  /** The extension host that offers to undo it. */
  processId: z.number(),
  /** Time of the request, in milliseconds since the epoch. */
  time: z.number(),
});
export type Deletion = z.infer<typeof DeletionSchema>;
