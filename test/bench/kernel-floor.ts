import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { KernelClient } from '../../src/runner/kernel/kernel-client';
import { launchKernel } from '../../src/runner/kernel/launch';
import { pythonEnvironment, pythonFile } from './service-client';

/** Lower bound for every runner: a kernel that receives cells, with nothing recorded, saved or reported. */
export class KernelFloor {
  private constructor(
    private readonly folder: string,
    private readonly kernel: KernelClient,
  ) {}

  static async start(): Promise<KernelFloor> {
    const folder = mkdtempSync(path.join(tmpdir(), 'nbx-'));
    const launched = await launchKernel(
      {
        name: 'python3',
        displayName: 'Python 3',
        language: 'python',
        argv: [pythonFile('python'), '-m', 'ipykernel_launcher', '-f', '{connection_file}'],
        interruptMode: 'signal',
        env: pythonEnvironment(),
      },
      { workingDirectory: folder, runtimeDirectory: folder, logFile: path.join(folder, 'kernel.log') },
    );
    const kernel = new KernelClient(launched);
    await kernel.ready;
    return new KernelFloor(folder, kernel);
  }

  /** Sends the cells one after the other, each after the reply and the idle status of the previous one. */
  async run(sources: readonly string[]): Promise<void> {
    for (const source of sources) {
      const { replied, idle } = this.kernel.execute(source);
      await Promise.all([replied, idle]);
    }
  }

  async stop(): Promise<void> {
    await this.kernel.shutDown(5000);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
