import type { KernelLaunch } from '../job';

/** What kernels do differently, as far as running notebooks on them goes. */
export interface KernelDifferences {
  /** Takes `ipc` sockets. Others do not know them, or end when asked for them. */
  readonly ipc: boolean;
  /** Appended to the command line. */
  readonly extraArguments: readonly string[];
  /** How to interrupt it, whatever its kernelspec says. */
  readonly interruptMode?: 'signal' | 'message';
  /** Milliseconds to go on listening after the last cell: its streams may come after its idle. */
  readonly lateStreams: number;
  /** Milliseconds for which it aborts every request after a failed one, also those that were sent later. */
  readonly abortsAfterError: number;
}

const COMMON: KernelDifferences = { ipc: false, extraArguments: [], lateStreams: 0, abortsAfterError: 0 };

/** The only place that knows kernels by name. The command line tells them apart; the name of a kernelspec is the person's. */
const TABLE: readonly (readonly [commandLine: RegExp, differences: Partial<KernelDifferences>])[] = [
  // The user's own history file stays as it is, and a cell is 2 ms faster without it.
  [/\bipykernel/, { ipc: true, extraArguments: ['--HistoryManager.hist_file=:memory:'] }],
  // Its kernelspec asks for nothing, but it knows SIGINT alone (an interrupt request has no effect).
  [/\bIRkernel::/, { ipc: true, interruptMode: 'signal' }],
  // Its kernelspec asks for nothing, but SIGINT ends it. 1 to 3 % of its cells send streams after idle.
  [/\bdeno\b.*\bjupyter\b/, { interruptMode: 'message', lateStreams: 100 }],
  [/\btslab\b/, { abortsAfterError: 250 }],
];

/** The row of the table for this kernel. Windows has no `ipc` sockets. */
export function kernelDifferences(launch: KernelLaunch, platform = process.platform): KernelDifferences {
  const commandLine = launch.argv.join(' ');
  const row = TABLE.find(([pattern]) => pattern.test(commandLine))?.[1];
  const differences = { ...COMMON, ...row };
  return platform === 'win32' ? { ...differences, ipc: false } : differences;
}
