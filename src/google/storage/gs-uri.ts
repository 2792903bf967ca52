import { ServiceError } from '../../execution/errors';

/** A location in Cloud Storage: a bucket and the name of an object, or of a folder if it is empty or ends in `/`. */
export interface GsUri {
  readonly bucket: string;
  readonly path: string;
}

/** Parses `gs://bucket/path`; undefined if it is invalid. Bucket names: Cloud Storage documentation, "Bucket names". */
export function parseGsUri(uri: string | undefined): GsUri | undefined {
  const match = /^gs:\/\/([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:\/(.*))?$/s.exec(uri ?? '');
  return match?.[1] === undefined ? undefined : { bucket: match[1], path: match[2] ?? '' };
}

/** `gs://bucket/path` */
export function formatGsUri({ bucket, path }: GsUri): string {
  return path === '' ? `gs://${bucket}` : `gs://${bucket}/${path}`;
}

/**
 * The folder at this URI; its path is empty or ends in `/`.
 * @throws ServiceError `fieldInvalid` naming `field`
 */
export function gsFolder(uri: string | undefined, field: string): GsUri {
  if (uri === undefined || uri === '')
    throw new ServiceError('INVALID_ARGUMENT', 'fieldRequired', `${field} is required`, { field });
  const parsed = parseGsUri(uri);
  if (parsed === undefined)
    throw new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `${field} is no gs:// URI: ${uri}`, { field });
  const path = parsed.path.replace(/\/+$/, '');
  return { bucket: parsed.bucket, path: path === '' ? '' : `${path}/` };
}

/** An object in a folder. */
export function inFolder(folder: GsUri, name: string): GsUri {
  return { bucket: folder.bucket, path: `${folder.path}${name}` };
}
