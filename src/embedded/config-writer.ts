import { ServiceError } from '../execution/errors';
import { claimDataDirectory } from '../protocol/data-directory';
import { servicePaths } from '../protocol/service-paths';
import type { ServiceConfig } from '../protocol/service-schemas';
import { readIfExists, replaceFile } from '../system/files';

/** Writes the service's settings to config.json in the data directory. */
export class ConfigWriter {
  private written: Promise<void> | undefined;

  constructor(
    private readonly dataDirectory: string,
    private readonly initial: ServiceConfig,
    private readonly log: (message: string) => void,
  ) {}

  /** Writes these settings. @throws the system's error; ServiceError, see {@link claimDataDirectory}. */
  async write(config: ServiceConfig): Promise<void> {
    this.written = this.replace(config);
    await this.written;
  }

  /** Waits for a write in progress; writes the initial settings if none were written yet. A system error is logged. */
  async ensureWritten(): Promise<void> {
    this.written ??= this.replace(this.initial);
    try {
      await this.written;
    } catch (error) {
      this.written = undefined;
      if (error instanceof ServiceError) throw error;
      this.log(`cannot write config.json: ${String(error)}`);
    }
  }

  private async replace(config: ServiceConfig): Promise<void> {
    const paths = servicePaths(this.dataDirectory);
    const text = JSON.stringify(config);
    await claimDataDirectory(paths);
    if ((await readIfExists(paths.config)) !== text) await replaceFile(paths.config, text);
  }
}
