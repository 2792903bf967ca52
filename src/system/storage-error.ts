/** What the system says when a disk does not take or give what it should. */
const STORAGE_ERRORS = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EFBIG', 'EIO', 'EMFILE', 'ENFILE'];

/** Code of a system error (`ENOENT` …), or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** True where the disk, or the right to it, is what is missing. */
export function isStorageError(error: unknown): boolean {
  return STORAGE_ERRORS.includes(errorCode(error) ?? '');
}
