import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { ServiceError } from '../execution/errors';
import type { CellRef, ExecutionRequest } from '../execution/execution';
import type { OutputDocument } from '../execution/execution-service';
import { readAll } from '../execution/read-all';
import type { GoogleServiceKind } from '../execution/templates/template';
import { isJsonObject, JsonError, parseJson, type JsonValue } from '../notebook/json';
import type { CloudStorageClient, StoredObject } from './storage/cloud-storage-client';
import { otherSourceOf } from './submission/other-source';
import { gsFolder, inFolder, parseGsUri, type GsUri } from './storage/gs-uri';

/*
 * Files in Cloud Storage of executions that this extension created. Each execution has a folder, named by its id, in
 * the user's output folder. A notebook that the service writes there is the output, under any name; the input is in the
 * subfolder `input/`.
 */

const FIELD = 'executionTemplate.outputNotebookFolder';
export const NOTEBOOK_TYPE = 'application/x-ipynb+json';

/** The folder of an execution. @throws ServiceError `fieldRequired`, `fieldInvalid` */
export function ownFolder(outputNotebookFolder: string | undefined, executionId: string): GsUri {
  return inFolder(gsFolder(outputNotebookFolder, FIELD), `${executionId}/`);
}

/** The user's output folder, without the folder of the execution. */
export function withoutOwnFolder(folder: string | undefined, executionId: string): string | undefined {
  const suffix = `/${executionId}`;
  return folder?.endsWith(suffix) === true ? folder.slice(0, -suffix.length) : folder;
}

/** Location of an execution's input; it keeps the notebook's file name. */
export function inputUri(folder: GsUri, sourceName: string | undefined): GsUri {
  return inFolder(folder, `input/${objectName(sourceName)}`);
}

/** A safe object name from a file name: no folder, no control characters, `.ipynb` at the end. */
function objectName(sourceName: string | undefined): string {
  const base = (sourceName ?? 'notebook').replace(/[/\\\p{Cc}#?*[\]]/gu, '_').replace(/\.ipynb$/, '');
  // Object names are limited to 1024 bytes of UTF-8.
  return `${Array.from(base).slice(0, 100).join('') || 'notebook'}.ipynb`;
}

/** File name of the notebook that is executed. */
export function sourceNameOf(kind: GoogleServiceKind, request: ExecutionRequest): string | undefined {
  const other = otherSourceOf(kind, request);
  const source =
    other === undefined ? request.runOptions?.source : 'uri' in other ? other.uri : other.repository;
  if (source === undefined) return request.displayName;
  const last =
    source
      .replace(/[?#].*$/, '')
      .split('/')
      .at(-1) ?? '';
  try {
    return decodeURIComponent(last) || request.displayName;
  } catch {
    return last;
  }
}

/**
 * A hash of a request, to recognise a repeated create; 40 hexadecimal digits. It ignores the environment, which is
 * never sent and differs between windows.
 */
export function requestFingerprint(request: ExecutionRequest, notebook: Uint8Array): string {
  const { environment: _, ...runOptions } = request.runOptions ?? {};
  const { displayName, description, executionTemplate } = request;
  const hash = createHash('sha256');
  hash.update(canonicalJson({ displayName, description, executionTemplate, runOptions }));
  hash.update('\0');
  hash.update(notebook);
  return hash.digest('hex').slice(0, 40);
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

/** Finds, reads and deletes the files of executions in Cloud Storage. */
export class ExecutionFiles {
  constructor(private readonly storage: CloudStorageClient) {}

  /** The document at a `gs://` URI; undefined if there is none (yet). @param generation the newest when absent */
  async open(
    uri: string | undefined,
    signal?: AbortSignal,
    generation?: string,
  ): Promise<OutputDocument | undefined> {
    const place = parseGsUri(uri);
    if (place === undefined) return undefined;
    const object = await this.storage.stat(place, signal, generation);
    return object === undefined ? undefined : this.storage.document(place, object);
  }

  /**
   * The newest output notebook in a folder. For an execution of this extension, the input is excluded. For any other,
   * the name must contain the job's id, since the folder may contain other files.
   */
  async findOutput(
    folderUri: string | undefined,
    id: string,
    ours: boolean,
    signal?: AbortSignal,
  ): Promise<{ uri: GsUri; object: StoredObject } | undefined> {
    const place = parseGsUri(folderUri);
    if (place === undefined) return undefined;
    const folder = gsFolder(folderUri, FIELD);
    const objects = await this.storage.list(folder, signal);
    const candidates = objects.filter(({ name }) => {
      const relative = name.slice(folder.path.length);
      return relative.endsWith('.ipynb') && (ours ? !relative.startsWith('input/') : relative.includes(id));
    });
    const object = candidates.sort((a, b) => (b.updated ?? '').localeCompare(a.updated ?? ''))[0];
    return object === undefined ? undefined : { uri: { bucket: folder.bucket, path: object.name }, object };
  }

  /** Deletes everything in the folder of an execution that this extension created. */
  async removeFolder(folder: GsUri, signal?: AbortSignal): Promise<void> {
    for (const object of await this.storage.list(folder, signal))
      await this.storage.remove({ bucket: folder.bucket, path: object.name }, signal);
  }

  /** Text of a parameter file: `gs://` or `file:`. @throws ServiceError `objectNotFound`, `fieldInvalid` */
  async readText(uri: string, field: string, signal?: AbortSignal): Promise<string> {
    const document = await this.open(uri, signal);
    if (document === undefined) {
      throw parseGsUri(uri) === undefined
        ? new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `${field}: ${uri}`, { field })
        : new ServiceError('NOT_FOUND', 'objectNotFound', `${uri} does not exist`, { uri, field });
    }
    return (await readAll(document, signal)).toString('utf8');
  }
}

/** A document with content that is already in memory. */
export function documentOf(content: Uint8Array): OutputDocument {
  return {
    size: content.length,
    version: 'inline',
    // eslint-disable-next-line @typescript-eslint/require-await -- the interface requires an async generator
    async *read() {
      yield content;
    },
  };
}

const FailedCellSchema = z.object({
  id: z.optional(z.string()),
  outputs: z.array(
    z.object({ output_type: z.string(), ename: z.optional(z.string()), evalue: z.optional(z.string()) }),
  ),
  metadata: z.optional(z.object({ tags: z.optional(z.array(z.string())) })),
});

/** The first cell of an output notebook that ended with an unexpected error. */
export function failedCell(notebook: string): CellRef | undefined {
  let document: JsonValue;
  try {
    document = parseJson(notebook);
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
  const cells = isJsonObject(document) ? document['cells'] : undefined;
  if (!Array.isArray(cells)) return undefined;
  for (const [index, cell] of cells.entries()) {
    const result = FailedCellSchema.safeParse(cell);
    if (!result.success || result.data.metadata?.tags?.includes('raises-exception') === true) continue;
    const error = result.data.outputs.find((output) => output.output_type === 'error');
    if (error === undefined) continue;
    const { id } = result.data;
    return {
      index,
      ...(id === undefined ? {} : { id }),
      ...(error.ename === undefined ? {} : { errorName: error.ename }),
      ...(error.evalue === undefined ? {} : { errorValue: error.evalue }),
    };
  }
  return undefined;
}
