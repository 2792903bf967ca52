/*
 * The names that this service and its clients give to files that they remove later, apart from fixed names. In a folder
 * of this product, a file with any other name is never removed.
 */

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const ID = '[a-z][a-z0-9-]{0,62}';
const BUILD = '[^/\\\\]+-[0-9a-f]{12}';

const patterns = {
  /** Bundles, `{version}-{hash}`. */
  build: new RegExp(`^(?!\\.)${BUILD}$`),
  /** Bundles while they are being copied. */
  unfinishedBuild: new RegExp(`^\\.${BUILD}-${UUID}$`),
  /** An execution's folder while it is being filled or emptied. */
  unfinishedFolder: new RegExp(`^\\.[0-9a-f]{8}-(?:new|deleted)-${ID}-${UUID}$`),
  /** The log of a kernel that was started ahead. */
  spareLog: /^spare-[0-9a-f]{10}\.log$/,
  /** A lock before it gets its final name, with the process id of its creator. */
  unfinishedLock: /^lock\.\d+\.\d+$/,
};

/** True for a name of this kind. */
export function isOwnName(kind: keyof typeof patterns, name: string): boolean {
  return patterns[kind].test(name);
}

/** True for the temporary name of new content for `file`, see `replaceFile`. */
export function isReplacementOf(file: string, name: string): boolean {
  return name.startsWith(`.${file}.`) && new RegExp(`^(?:new|${UUID})$`).test(name.slice(file.length + 2));
}

/** True for files that the operating system may put into any folder. */
export function isOfSystem(name: string): boolean {
  return name === '.DS_Store' || name.startsWith('.nfs');
}
