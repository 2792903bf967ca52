import { storage_v1 } from 'googleapis/build/src/apis/storage/v1';
import * as z from 'zod/mini';
import { ServiceError } from '../../execution/errors';
import type { OutputDocument } from '../../execution/execution-service';
import { formatGsUri, type GsUri } from './gs-uri';
import type { RequestContext } from '../requests/error-translation';
import type { AttemptOptions, RequestSender } from '../requests/request-sender';
import { ResumableUpload } from './resumable-upload';

/** Fields of an object that this client reads (Cloud Storage JSON API v1). */
const ObjectSchema = z.object({
  name: z.string(),
  bucket: z.optional(z.string()),
  size: z.optional(z.string()),
  generation: z.optional(z.string()),
  updated: z.optional(z.string()),
  md5Hash: z.optional(z.string()),
});
export type StoredObject = z.infer<typeof ObjectSchema>;

const ObjectsSchema = z.object({
  items: z._default(z.array(ObjectSchema), []),
  nextPageToken: z.optional(z.string()),
});
const BucketSchema = z.object({ location: z.optional(z.string()), locationType: z.optional(z.string()) });
const BucketsSchema = z.object({
  items: z._default(z.array(z.object({ name: z.string(), location: z.optional(z.string()) })), []),
  nextPageToken: z.optional(z.string()),
});
const OBJECT_FIELDS = 'name,bucket,size,generation,updated,md5Hash';

export interface UploadOptions {
  readonly contentType: string;
  /** Custom metadata of the object. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly onUpload?: ((sent: number, total: number) => void) | undefined;
}

/** Objects in Cloud Storage, accessed through the JSON API. */
export class CloudStorageClient {
  private readonly api: storage_v1.Storage;

  /** @param endpoint `https://storage.googleapis.com/`, a private endpoint or an emulator */
  constructor(
    private readonly sender: RequestSender,
    private readonly endpoint: string,
  ) {
    this.api = new storage_v1.Storage({ rootUrl: endpoint });
  }

  /**
   * Creates an object without replacing an existing one (`ifGenerationMatch=0`). An existing object with the same
   * content counts as created, since an answer may have been lost.
   * @throws ServiceError `objectExists` if the name is taken by other content, `uploadIncomplete`
   */
  async upload(uri: GsUri, content: Uint8Array, options: UploadOptions, signal?: AbortSignal): Promise<void> {
    const upload = new ResumableUpload(this.sender, this.endpoint, uri, content, options);
    const outcome = await upload.run(signal);
    if (outcome === 'created') return;
    const existing = await this.stat(uri, signal);
    if (existing?.md5Hash !== upload.md5Hash) {
      const object = formatGsUri(uri);
      if (outcome === 'unconfirmed') {
        throw new ServiceError('UNAVAILABLE', 'uploadIncomplete', `${object} is not what was sent`, {
          uri: object,
        });
      }
      throw new ServiceError('ALREADY_EXISTS', 'objectExists', `${object} exists`, { uri: object });
    }
    options.onUpload?.(content.length, content.length);
  }

  /**
   * The object's metadata, or undefined if it does not exist. A missing bucket is an error.
   * @param generation of the version; the newest when absent
   */
  async stat(uri: GsUri, signal?: AbortSignal, generation?: string): Promise<StoredObject | undefined> {
    const params = {
      bucket: uri.bucket,
      object: uri.path,
      fields: OBJECT_FIELDS,
      ...(generation === undefined ? {} : { generation }),
    };
    try {
      return await this.sender.send(
        ObjectSchema,
        (options) => this.api.objects.get(params, options),
        objectContext(uri),
        signal,
      );
    } catch (error) {
      if (error instanceof ServiceError && error.reason === 'objectNotFound') return undefined;
      throw error;
    }
  }

  /** All objects whose names begin with the folder's path. */
  async list(folder: GsUri, signal?: AbortSignal): Promise<StoredObject[]> {
    const objects: StoredObject[] = [];
    let pageToken: string | undefined;
    do {
      const token = pageToken;
      const page = await this.sender.send(
        ObjectsSchema,
        (options) =>
          this.api.objects.list(
            {
              bucket: folder.bucket,
              prefix: folder.path,
              fields: `items(${OBJECT_FIELDS}),nextPageToken`,
              ...(token === undefined ? {} : { pageToken: token }),
            },
            options,
          ),
        { bucket: folder.bucket },
        signal,
      );
      objects.push(...page.items);
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    return objects;
  }

  /** Deletes an object; no error if it does not exist. */
  async remove(uri: GsUri, signal?: AbortSignal): Promise<void> {
    try {
      await this.sender.send(
        z.unknown(),
        (options) => this.api.objects.delete({ bucket: uri.bucket, object: uri.path }, options),
        objectContext(uri),
        signal,
      );
    } catch (error) {
      if (!(error instanceof ServiceError && error.reason === 'objectNotFound')) throw error;
    }
  }

  /**
   * Location of a bucket in lower case: a region (`us-central1`), a dual or multi-region (`us`). Undefined without
   * permission.
   */
  async bucketLocation(bucket: string, signal?: AbortSignal): Promise<string | undefined> {
    try {
      const answer = await this.sender.send(
        BucketSchema,
        (options) => this.api.buckets.get({ bucket, fields: 'location,locationType' }, options),
        { bucket },
        signal,
      );
      return answer.location?.toLowerCase();
    } catch (error) {
      // Permission to write objects does not include permission to read the bucket's metadata.
      if (error instanceof ServiceError && error.reason === 'permissionDenied') return undefined;
      throw error;
    }
  }

  /** The first buckets of a project with their locations, to choose from. */
  async buckets(
    project: string,
    signal?: AbortSignal,
  ): Promise<{ name: string; location?: string | undefined }[]> {
    const page = await this.sender.send(
      BucketsSchema,
      (options) =>
        this.api.buckets.list({ project, maxResults: 1000, fields: 'items(name,location)' }, options),
      { project },
      signal,
    );
    return page.items.map(({ name, location }) => ({ name, location: location?.toLowerCase() }));
  }

  /** An object as a document; its content is that of the generation in `object`. */
  document(uri: GsUri, object: StoredObject): OutputDocument {
    return {
      size: object.size === undefined ? undefined : Number(object.size),
      version: object.generation ?? object.updated ?? '',
      read: (signal) => this.read(uri, object.generation, signal),
    };
  }

  /** Streams an object. If the connection breaks, continues from the last received byte. */
  private async *read(
    uri: GsUri,
    generation: string | undefined,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    let offset = 0;
    for (let failures = 0; ;) {
      const from = offset;
      const stream = await this.sender.retry(
        (options) => this.open(uri, generation, from, options),
        objectContext(uri),
        signal,
      );
      try {
        for await (const chunk of stream) {
          offset += chunk.length;
          failures = 0;
          yield chunk;
        }
        return;
      } catch (error) {
        if (signal?.aborted === true) throw error;
        failures += 1;
        if (failures > MAX_BROKEN_READS)
          throw new ServiceError('UNAVAILABLE', 'hostUnreachable', String(error), {}, { cause: error });
      }
    }
  }

  private async open(
    uri: GsUri,
    generation: string | undefined,
    offset: number,
    options: AttemptOptions,
  ): Promise<AsyncIterable<Uint8Array>> {
    const { auth, timeout, signal, retry } = options;
    // The time limit applies to the start of the answer; the duration of the content depends on its size.
    const limit = new AbortController();
    const timer = setTimeout(() => {
      limit.abort(new DOMException('No answer in time', 'TimeoutError'));
    }, timeout);
    try {
      const response = await this.api.objects.get(
        {
          auth,
          bucket: uri.bucket,
          object: uri.path,
          alt: 'media',
          ...(generation === undefined ? {} : { generation }),
        },
        {
          retry,
          responseType: 'stream',
          signal: signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]),
          ...(offset === 0 ? {} : { headers: { range: `bytes=${String(offset)}-` } }),
        },
      );
      return response.data;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Maximum consecutive failures of a download without any received byte. */
const MAX_BROKEN_READS = 4;

function objectContext(uri: GsUri): RequestContext {
  return { bucket: uri.bucket, object: formatGsUri(uri) };
}
