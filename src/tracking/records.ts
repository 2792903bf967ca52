import * as z from 'zod/mini';

/*
 * The records of {@link RecordFolder}. Loaded when there is one to be read.
 */

/** That somebody waits for the end of an execution. Kept until they could see it. */
export const NoticeSchema = z.object({
  version: z.literal(1),
  serviceId: z.string(),
  /** Resource name. */
  name: z.string(),
  /** The folder or workspace file it was submitted from; empty without one. Only its windows tell. */
  workspace: z.string(),
  /** The extension host that submitted it. */
  processId: z.number(),
  /** The same for all that were submitted together, whose ends are told together; absent where it was submitted alone. */
  batch: z.optional(z.string()),
});
export type Notice = z.infer<typeof NoticeSchema>;

/** A deletion that the person asked for and can still undo. */
export const DeletionSchema = z.object({
  version: z.literal(1),
  serviceId: z.string(),
  /** Resource name. */
  name: z.string(),
  /** The extension host that offers to undo it. */
  processId: z.number(),
  /** When it was asked for, in milliseconds since the epoch. */
  time: z.number(),
});
export type Deletion = z.infer<typeof DeletionSchema>;
