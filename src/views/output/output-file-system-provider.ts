import * as vscode from 'vscode';
import { ServiceError } from '../../execution/errors';
import type { ExecutionService, OutputDocument } from '../../execution/execution-service';
import type { Clock } from '../../tracking/clock';
import type { ExecutionStore, TrackedExecution } from '../../tracking/execution-store';
import { formatBytes } from '../../wording/text';
import { OUTPUT_SCHEME, parseOutputUri } from './output-uri';
import { readAll } from '../../execution/read-all';
import { problemOf } from '../../wording/problem-sentences';

interface Version {
  readonly version: string;
  /** Modification time that the editor compares. It increases with every new version. */
  readonly mtime: number;
  readonly size: number;
}

/** How long a document of a restored tab waits until its service is registered, in milliseconds. */
const SERVICE_WAIT = 10_000;

/** Inputs and outputs of every service as read-only files. */
export class OutputFileSystemProvider implements vscode.FileSystemProvider, vscode.Disposable {
  private readonly changeEmitter = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.changeEmitter.event;
  private readonly readEmitter = new vscode.EventEmitter<vscode.Uri>();
  /** Fires after a document was read completely, so that the duration can be measured. */
  readonly onDidRead = this.readEmitter.event;
  private readonly versions = new Map<string, Version>();

  constructor(
    private readonly store: ExecutionStore,
    private readonly clock: Clock,
  ) {}

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const document = await this.document(uri);
    const { mtime, size } = this.remember(uri, document);
    return { type: vscode.FileType.File, ctime: 0, mtime, size, permissions: vscode.FilePermission.Readonly };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const document = await this.document(uri);
    this.remember(uri, document);
    const trimmed = parseOutputUri(uri)?.kind === 'trimmed';
    const content = await this.asking(uri, () => (trimmed ? readTrimmed(document) : readAll(document)));
    this.readEmitter.fire(uri);
    return content;
  }

  /** Checks whether a document has changed since the editor last read it; if so, notifies the editor. */
  async check(uri: vscode.Uri): Promise<boolean> {
    const before = this.versions.get(uri.toString())?.version;
    const document = await this.document(uri);
    if (document.version === before) return false;
    this.changeEmitter.fire([{ type: vscode.FileChangeType.Changed, uri }]);
    return true;
  }

  /** Makes the editor read a document again although its content has not changed. */
  reload(uri: vscode.Uri): void {
    const key = uri.toString();
    const before = this.versions.get(key);
    // The editor reads a file again only if its modification time is newer.
    if (before !== undefined) this.versions.set(key, { ...before, mtime: before.mtime + 1 });
    this.changeEmitter.fire([{ type: vscode.FileChangeType.Changed, uri }]);
  }

  /** Notifies the editor that the documents of a deleted execution no longer exist. */
  deleted(uris: readonly vscode.Uri[]): void {
    if (uris.length > 0)
      this.changeEmitter.fire(uris.map((uri) => ({ type: vscode.FileChangeType.Deleted, uri })));
  }

  /** {@link check} reports changes, so there is nothing to watch. */
  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  /** The execution of a document, requested from its service if the store does not have it. */
  async execution(uri: vscode.Uri): Promise<TrackedExecution> {
    const address = parseOutputUri(uri);
    if (address === undefined) throw vscode.FileSystemError.FileNotFound(uri);
    const { serviceId, name } = address;
    const known = this.store.find(serviceId, name);
    if (known !== undefined) return known;
    const service = await this.service(serviceId);
    if (service === undefined) throw vscode.FileSystemError.FileNotFound(uri);
    return this.asking(uri, async () => {
      const ticket = this.store.begin();
      return this.store.apply(ticket, service, await service.get(name));
    });
  }

  dispose(): void {
    this.changeEmitter.dispose();
    this.readEmitter.dispose();
  }

  private async document(uri: vscode.Uri): Promise<OutputDocument> {
    const { service, execution } = await this.execution(uri);
    const document = await this.asking(uri, () =>
      parseOutputUri(uri)?.kind === 'input' ? service.readInput(execution) : service.readOutput(execution),
    );
    if (document === undefined) throw vscode.FileSystemError.FileNotFound(uri);
    return document;
  }

  private remember(uri: vscode.Uri, { version, size }: OutputDocument): Version {
    const key = uri.toString();
    const before = this.versions.get(key);
    if (before?.version === version) return before;
    const mtime = Math.max(this.clock.now(), (before?.mtime ?? 0) + 1);
    const now = { version, mtime, size: size ?? 0 };
    this.versions.set(key, now);
    return now;
  }

  /** Converts a service's error into one whose sentence the editor shows. */
  private async asking<T>(uri: vscode.Uri, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof ServiceError && error.status === 'NOT_FOUND')
        throw vscode.FileSystemError.FileNotFound(uri);
      throw vscode.FileSystemError.Unavailable(problemOf(error).message);
    }
  }

  private async service(serviceId: string): Promise<ExecutionService | undefined> {
    const known = this.store.status(serviceId);
    if (known !== undefined) return known.service;
    return new Promise((resolve) => {
      const done = (service: ExecutionService | undefined) => {
        subscription.dispose();
        timer.dispose();
        resolve(service);
      };
      const subscription = this.store.onDidChangeService(({ service }) => {
        if (service.id === serviceId) done(service);
      });
      const timer = this.clock.after(SERVICE_WAIT, () => {
        done(undefined);
      });
    });
  }
}

async function readTrimmed(document: OutputDocument): Promise<Uint8Array> {
  const { trimNotebook } = await import('./trim-notebook');
  return readAll({ ...document, read: (signal) => trimNotebook(document.read(signal), trimNotice) });
}

function trimNotice(bytes: number, mimeType: string | undefined): string {
  const size = formatBytes(bytes);
  return mimeType === undefined
    ? vscode.l10n.t('… {0} not shown. Open the whole output or download it to see the rest.', size)
    : vscode.l10n.t('{0} ({1}) not shown. Open the whole output or download it to see it.', mimeType, size);
}

/** Registers the file system provider for the documents' URI scheme. */
export function registerOutputScheme(provider: OutputFileSystemProvider): vscode.Disposable {
  return vscode.workspace.registerFileSystemProvider(OUTPUT_SCHEME, provider, {
    isReadonly: true,
    isCaseSensitive: true,
  });
}
