import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import { SECRET_PARAMETERS } from '../execution/secrets/secret-names';
import { readSmallFile } from '../system/small-file';
import { ServiceConfigSchema, type ServiceConfig } from '../protocol/service-schemas';

/** All settings, with defaults filled in. */
type FullConfig = { readonly [Name in keyof ServiceConfig]-?: NonNullable<ServiceConfig[Name]> };

/** Settings of the service: the command line takes precedence over config.json, and that over the defaults. */
export class ConfigReader {
  private file: ServiceConfig = {};
  private modified = Number.NaN;

  private constructor(
    private readonly path: string,
    private readonly overrides: ServiceConfig,
    private readonly log: (message: string) => void,
  ) {}

  static async open(
    path: string,
    overrides: ServiceConfig,
    log: (message: string) => void,
  ): Promise<ConfigReader> {
    const reader = new ConfigReader(path, overrides, log);
    await reader.reload();
    return reader;
  }

  get current(): FullConfig {
    const { maxConcurrent, spare, keepAwake, ...config } = { ...this.file, ...this.overrides };
    return {
      maxConcurrent: maxConcurrent ?? Math.max(1, Math.floor(os.availableParallelism() / 2)),
      spare: spare ?? true,
      keepAwake: keepAwake ?? true,
      retentionDays: config.retentionDays ?? 30,
      retentionBytes: config.retentionBytes ?? 5 * 1024 ** 3,
      secretParameters: config.secretParameters ?? [...SECRET_PARAMETERS],
    };
  }

  /** Reads the file again if it has changed. An invalid file is logged, and the settings stay as they were. */
  async reload(): Promise<void> {
    const modified = await fs.stat(this.path).then(
      (stat) => stat.mtimeMs,
      () => 0,
    );
    if (modified === this.modified) return;
    this.modified = modified;
    try {
      this.file = modified === 0 ? {} : ServiceConfigSchema.parse(JSON.parse(await readSmallFile(this.path)));
    } catch (error) {
      this.log(`cannot read config.json: ${String(error)}`);
    }
  }
}
