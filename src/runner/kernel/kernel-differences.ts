import type { KernelLaunch } from '../../protocol/runner-job';
import { forkServerProgram, kernelProgram } from './ipykernel-program';

/** What kernels do differently, as far as running notebooks on them goes. */
export interface KernelDifferences {
  /** Takes `ipc` sockets. Others do not know them, or end when asked for them. */
  readonly ipc: boolean;
  /** Changes the command line of its kernelspec. `{interrupt_event}` and `{parent_pid}` are filled in as `{connection_file}` is. */
  commandLine(argv: readonly string[]): string[];
  /**
   * Command line of a process that becomes such kernels by forking, see fork-server.ts, and how many of the words of
   * {@link commandLine} it stands for: the others are each kernel's own. Undefined where that cannot be.
   */
  readonly forkServer?: (argv: readonly string[]) => ForkServerCommand | undefined;
  /** How to interrupt it, whatever its kernelspec says. `event`: the event of Windows that `{interrupt_event}` names. */
  readonly interruptMode?: 'signal' | 'message' | 'event';
  /** Milliseconds to go on listening after the last cell: its streams may come after its idle. */
  readonly lateStreams: number;
  /** Milliseconds for which it aborts every request after a failed one, also those that were sent later. */
  readonly abortsAfterError: number;
}

/** See {@link KernelDifferences.forkServer}. */
export interface ForkServerCommand {
  readonly argv: readonly string[];
  readonly words: number;
}

const COMMON: KernelDifferences = {
  ipc: false,
  commandLine: (argv) => [...argv],
  lateStreams: 0,
  abortsAfterError: 0,
};

/** Where `-m ipykernel_launcher` stands, if it does. */
function launcherIn(argv: readonly string[]): number {
  return argv.findIndex((each, index) => each === '-m' && argv[index + 1] === 'ipykernel_launcher');
}

/** Not where another program starts Python: it may pass on no channel. */
function ipykernelForkServer(argv: readonly string[]): ForkServerCommand | undefined {
  const at = launcherIn(argv);
  if (at < 1 || !argv.slice(1, at).every((each) => each.startsWith('-'))) {
    return undefined;
  }
  return { argv: [...argv.slice(0, at), '-c', forkServerProgram()], words: at + 2 };
}

function ipykernelCommand(argv: readonly string[], platform: NodeJS.Platform): string[] {
  const at = launcherIn(argv);
  const start = at < 0 ? [...argv] : argv.toSpliced(at, 2, '-c', kernelProgram(platform));
  return [
    ...start,
    // The user's own history file stays as it is, and a cell is 2 ms faster without it.
    '--HistoryManager.hist_file=:memory:',
    // Before each reply it sleeps half a millisecond, so that a cell's outputs may arrive first. Here a cell ends with
    // its idle, which comes behind them on the same socket.
    '--Kernel._execute_sleep=0',
  ];
}

/** The only place that knows kernels by name. The command line tells them apart; the name of a kernelspec is the person's. */
const TABLE: readonly (readonly [commandLine: RegExp, differences: Partial<KernelDifferences>])[] = [
  [
    /\bipykernel/,
    {
      ipc: true,
      commandLine: (argv) => ipykernelCommand(argv, 'linux'),
      forkServer: (argv) => ipykernelForkServer(argv),
    },
  ],
  // Its kernelspec asks for nothing, but it knows SIGINT alone (an interrupt request has no effect).
  [/\bIRkernel::/, { ipc: true, interruptMode: 'signal' }],
  // Its kernelspec asks for nothing, but SIGINT ends it. 1 to 3 % of its cells send streams after idle.
  [/\bdeno\b.*\bjupyter\b/, { interruptMode: 'message', lateStreams: 100 }],
  [/\btslab\b/, { abortsAfterError: 250 }],
];

/** What Windows has: neither `ipc` sockets nor a signal that interrupts. ipykernel does not know the message there. */
function onWindows(differences: KernelDifferences, commandLine: string): KernelDifferences {
  return /\bipykernel/.test(commandLine)
    ? {
        ...differences,
        ipc: false,
        interruptMode: 'event',
        commandLine: (argv) => ipykernelCommand(argv, 'win32'),
      }
    : { ...differences, ipc: false, interruptMode: 'message' };
}

/** The row of the table for this kernel, on this platform. */
export function kernelDifferences(launch: KernelLaunch, platform = process.platform): KernelDifferences {
  const commandLine = launch.argv.join(' ');
  const row = TABLE.find(([pattern]) => pattern.test(commandLine))?.[1];
  const { forkServer, ...differences } = { ...COMMON, ...row };
  if (platform === 'win32') return onWindows(differences, commandLine);
  // Windows has no fork(2). The libraries of macOS do not bear it, and only Linux tells how many threads a process has.
  return { ...differences, ...(platform === 'linux' && forkServer !== undefined && { forkServer }) };
}
