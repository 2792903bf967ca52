import type { gaxios, GoogleAuth } from 'google-auth-library';
import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { ServiceError } from '../../execution/errors';
import type { UploadOptions } from './cloud-storage-client';
import { formatGsUri, type GsUri } from './gs-uri';
import type { RequestSender } from '../requests/request-sender';

/** Bytes per request: a multiple of 256 KiB, as the protocol requires. */
const CHUNK = 2 * 1024 * 1024;

/**
 * How an upload ended: the object was created with this content, an object with that name existed already, or the
 * answer confirms neither.
 */
export type UploadOutcome = 'created' | 'exists' | 'unconfirmed';

/** The fields of the created object in the answer to the last chunk (Cloud Storage JSON API v1, `Object`). */
const CreatedSchema = z.object({ md5Hash: z.optional(z.string()), size: z.optional(z.string()) });

/**
 * One upload with Cloud Storage's resumable protocol ("Resumable uploads", JSON API): opens a session, sends chunks,
 * and after a broken connection asks how many bytes have arrived.
 */
export class ResumableUpload {
  /** Base64, as in Cloud Storage. */
  readonly md5Hash: string;

  constructor(
    private readonly sender: RequestSender,
    private readonly endpoint: string,
    private readonly uri: GsUri,
    private readonly content: Uint8Array,
    private readonly options: UploadOptions,
  ) {
    this.md5Hash = createHash('md5').update(content).digest('base64');
  }

  async run(signal?: AbortSignal): Promise<UploadOutcome> {
    for (let sessions = 1; ; sessions += 1) {
      const session = await this.open(signal);
      if (session === undefined) return 'exists';
      try {
        return await this.sendChunks(session, signal);
      } catch (error) {
        if (signal?.aborted === true) await this.abandon(session);
        // A session can be lost (404, 410); its content must then be sent again.
        const lost = error instanceof ServiceError && error.status === 'NOT_FOUND' && sessions < 3;
        if (!lost) throw error;
      }
    }
  }

  private get context(): { bucket: string; object: string } {
    return { bucket: this.uri.bucket, object: formatGsUri(this.uri) };
  }

  /** The session's URI; undefined if the object exists. */
  private async open(signal: AbortSignal | undefined): Promise<string | undefined> {
    const url = new URL(`upload/storage/v1/b/${encodeURIComponent(this.uri.bucket)}/o`, this.endpoint);
    url.search = new URLSearchParams({
      uploadType: 'resumable',
      name: this.uri.path,
      ifGenerationMatch: '0',
    }).toString();
    const { contentType, metadata } = this.options;
    // Only the bucket can be missing here, not the object.
    const context = { bucket: this.uri.bucket };
    try {
      return await this.sender.retry(
        async ({ auth, ...options }) => {
          const response = await auth.request({
            ...options,
            url: url.href,
            method: 'POST',
            headers: {
              'x-upload-content-type': contentType,
              'x-upload-content-length': String(this.content.length),
            },
            data: { contentType, md5Hash: this.md5Hash, ...(metadata === undefined ? {} : { metadata }) },
          });
          const session = response.headers.get('location');
          if (session === null) throw new ServiceError('UNAVAILABLE', 'answerMalformed', 'No upload session');
          return session;
        },
        context,
        signal,
      );
    } catch (error) {
      if (error instanceof ServiceError && error.status === 'FAILED_PRECONDITION') return undefined;
      throw error;
    }
  }

  private async sendChunks(session: string, signal: AbortSignal | undefined): Promise<UploadOutcome> {
    const total = this.content.length;
    let sent = 0;
    this.options.onUpload?.(0, total);
    try {
      for (;;) {
        const start = sent;
        const progress = await this.sender.retry(
          async ({ auth, ...options }, attempt) => {
            // After a failure it is unknown how many bytes have arrived, so ask first.
            const from = attempt === 1 ? start : await this.received(session, auth, options.signal);
            if (typeof from !== 'number') return from;
            const end = Math.min(from + CHUNK, total);
            const range = total === 0 ? '*' : `${String(from)}-${String(end - 1)}`;
            const response = await auth.request({
              ...options,
              url: session,
              method: 'PUT',
              headers: { 'content-range': `bytes ${range}/${String(total)}` },
              // A stream would be sent in chunks of unknown length.
              data: Buffer.from(this.content.subarray(from, end)),
              validateStatus: isProgress,
            });
            return this.progressOf(response);
          },
          this.context,
          signal,
        );
        if (typeof progress !== 'number') {
          if (progress === 'created') this.options.onUpload?.(total, total);
          return progress;
        }
        sent = progress;
        this.options.onUpload?.(sent, total);
      }
    } catch (error) {
      if (error instanceof ServiceError && error.status === 'FAILED_PRECONDITION') return 'exists';
      throw error;
    }
  }

  /**
   * Number of bytes that have arrived, or how the upload ended. Success is confirmed by the object's hash or size,
   * because the service may end the upload before all bytes have arrived.
   */
  private progressOf({ status, headers, data }: gaxios.GaxiosResponse): number | UploadOutcome {
    if (status === 308) return rangeEnd(headers.get('range'));
    const { md5Hash, size } = CreatedSchema.safeParse(data).data ?? {};
    // Some objects have no MD5 hash.
    const whole = md5Hash === undefined ? size === String(this.content.length) : md5Hash === this.md5Hash;
    return whole ? 'created' : 'unconfirmed';
  }

  /** Asks how many bytes have arrived, or how the upload ended. */
  private async received(
    session: string,
    auth: GoogleAuth,
    signal: AbortSignal | undefined,
  ): Promise<number | UploadOutcome> {
    const response = await auth.request({
      url: session,
      method: 'PUT',
      headers: { 'content-range': `bytes */${String(this.content.length)}` },
      retry: false,
      validateStatus: isProgress,
      ...(signal === undefined ? {} : { signal }),
    });
    return this.progressOf(response);
  }

  /** Tells Cloud Storage to delete the partial upload; it would expire after a week. */
  private async abandon(session: string): Promise<void> {
    try {
      const auth = await this.sender.credentials.auth();
      await auth.request({ url: session, method: 'DELETE', retry: false, timeout: 5000 });
    } catch {
      // A successful cancel is answered with 499, which throws, too; a failed one is harmless.
    }
  }
}

function isProgress(status: number): boolean {
  return (status >= 200 && status < 300) || status === 308;
}

const RangeSchema = z.string().check(z.regex(/^bytes=0-\d+$/));

/** Number of bytes received according to `Range: bytes=0-LAST`; 0 without the header. */
function rangeEnd(range: string | null): number {
  const result = RangeSchema.safeParse(range);
  return result.success ? Number(result.data.slice('bytes=0-'.length)) + 1 : 0;
}
