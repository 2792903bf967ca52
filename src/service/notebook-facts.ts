import * as z from 'zod/mini';
import { readNotebook } from '../notebook/document';
import { NotebookError } from '../notebook/errors';
import { isJsonObject, type JsonValue } from '../notebook/json';

/** What the service needs to know about a notebook, or why it cannot be read ({@link NotebookError}). */
export const InspectionSchema = z.union([
  z.object({
    facts: z.object({
      /** `metadata.kernelspec.name` */
      kernel: z.optional(z.string()),
      language: z.optional(z.string()),
    }),
  }),
  z.object({ code: z.string(), message: z.string(), args: z.record(z.string(), z.string()) }),
]);
export type Inspection = z.infer<typeof InspectionSchema>;

/** Reads a notebook the same way as the runner. */
export function factsOf(bytes: Uint8Array): Inspection {
  try {
    const { metadata } = readNotebook(bytes).notebook;
    const kernelspec = metadata['kernelspec'];
    const languageInfo = metadata['language_info'];
    return {
      facts: {
        kernel: text(isJsonObject(kernelspec) ? kernelspec['name'] : undefined),
        language:
          text(isJsonObject(languageInfo) ? languageInfo['name'] : undefined) ??
          text(isJsonObject(kernelspec) ? kernelspec['language'] : undefined),
      },
    };
  } catch (error) {
    if (!(error instanceof NotebookError)) throw error;
    return { code: error.code, message: error.message, args: { ...error.args } };
  }
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
