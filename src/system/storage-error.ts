/** Error codes for a disk that cannot be read or written. */
const STORAGE_ERRORS = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EFBIG', 'EIO', 'EMFILE', 'ENFILE'];

/** Code of a system error (`ENOENT` …), or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** True if the cause is the disk or a missing permission. */
export function isStorageError(error: unknown): boolean {
  return STORAGE_ERRORS.includes(errorCode(error) ?? '');
}
