import * as fs from 'node:fs/promises';
import { servicePaths } from '../../protocol/service-paths';
import type { ExecutionRecord } from './record';

/** A host without a heartbeat for this long is considered gone, milliseconds. */
const GONE_MS = 24 * 60 * 60 * 1000;
/** Interval between heartbeats of a service, milliseconds. */
export const HEARTBEAT_MS = 10 * 60 * 1000;

/**
 * Several hosts may share a home directory and the data directory in it. Each host has its own service. Executions of
 * another host are shown and otherwise left alone, until that host has had no heartbeat for a day.
 */
export class OtherHosts {
  constructor(
    private readonly dataDirectory: string,
    /** Name and boot of this host. A renamed host is still known by its boot. */
    private readonly host: string,
    private readonly boot: string,
  ) {}

  /** True for an execution or a schedule of another host. */
  isTheirs({ host, boot }: Pick<ExecutionRecord, 'host' | 'boot'>): boolean {
    return host !== undefined && host !== this.host && (boot === undefined || boot !== this.boot);
  }

  /** True if the host is considered gone. */
  async isGone(host: string): Promise<boolean> {
    const folder = servicePaths(this.dataDirectory, host).host;
    return fs.stat(folder).then(
      ({ mtimeMs }) => Date.now() - mtimeMs > GONE_MS,
      () => true,
    );
  }

  /** Writes this host's heartbeat: the modification time of its folder. */
  async writeHeartbeat(): Promise<void> {
    const time = new Date();
    await fs.utimes(servicePaths(this.dataDirectory, this.host).host, time, time);
  }
}
