import type { KernelLaunch } from '../../protocol/runner-job';
import { forkServerProgram, kernelProgram } from './ipykernel-program';

/** How kernels differ, as far as running notebooks is concerned. */
export interface KernelDifferences {
  /** Supports `ipc` sockets. Other kernels do not know them, or exit when configured to use them. */
  readonly ipc: boolean;
  /**
   * Changes the command line of its kernelspec. `{interrupt_event}` and `{parent_pid}` are replaced like
   * `{connection_file}`.
   */
  commandLine(argv: readonly string[]): string[];
  /**
   * Command line of a process that becomes such kernels by forking, see fork-server.ts, and how many words of
   * {@link commandLine} it replaces; the rest differ between kernels. Undefined if that is not possible.
   */
  readonly forkServer?: (argv: readonly string[]) => ForkServerCommand | undefined;
  /**
   * How to interrupt it, whatever its kernelspec says. `event`: by the Windows event that `{interrupt_event}` names.
   */
  readonly interruptMode?: 'signal' | 'message' | 'event';
  /** Milliseconds to keep listening after the last cell: its streams may arrive after its idle message. */
  readonly lateStreams: number;
  /** Milliseconds during which it aborts every request after a failed one, including later requests. */
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

/** Index of `-m ipykernel_launcher`, or -1. */
function launcherIn(argv: readonly string[]): number {
  return argv.findIndex((each, index) => each === '-m' && argv[index + 1] === 'ipykernel_launcher');
}

/** Undefined if another program starts Python: that program might not pass on the channel. */
function ipykernelForkServer(argv: readonly string[]): ForkServerCommand | undefined {
  const at = launcherIn(argv);
  if (at < 1 || !argv.slice(1, at).every((each) => each.startsWith('-'))) return undefined;
  return { argv: [...argv.slice(0, at), '-c', forkServerProgram()], words: at + 2 };
}

function ipykernelCommand(argv: readonly string[], platform: NodeJS.Platform): string[] {
  const at = launcherIn(argv);
  const start = at < 0 ? [...argv] : argv.toSpliced(at, 2, '-c', kernelProgram(platform));
  return [
    ...start,
    // The user's own history file stays as it is, and a cell is 2 ms faster without it.
    '--HistoryManager.hist_file=:memory:',
    // ipykernel sleeps half a millisecond before each reply, so that a cell's outputs may arrive first. Here a cell
    // ends with its idle message, which follows the outputs on the same socket.
    '--Kernel._execute_sleep=0',
  ];
}

/**
 * The only place that knows kernels by name. It looks at the command line, since users name kernelspecs as they like.
 */
const TABLE: readonly (readonly [commandLine: RegExp, differences: Partial<KernelDifferences>])[] = [
  [
    /\bipykernel/,
    {
      ipc: true,
      commandLine: (argv) => ipykernelCommand(argv, 'linux'),
      forkServer: (argv) => ipykernelForkServer(argv),
    },
  ],
  // Its kernelspec names no mode, and only SIGINT interrupts it (an interrupt request has no effect).
  [/\bIRkernel::/, { ipc: true, interruptMode: 'signal' }],
  // Its kernelspec names no mode, but SIGINT ends it. 1 to 3 % of its cells send streams after idle.
  [/\bdeno\b.*\bjupyter\b/, { interruptMode: 'message', lateStreams: 100 }],
  [/\btslab\b/, { abortsAfterError: 250 }],
];

/**
 * Windows has neither `ipc` sockets nor a signal that interrupts. There, ipykernel does not know the message either.
 */
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

/** The differences of this kernel on this platform. */
export function kernelDifferences(launch: KernelLaunch, platform = process.platform): KernelDifferences {
  const commandLine = launch.argv.join(' ');
  const row = TABLE.find(([pattern]) => pattern.test(commandLine))?.[1];
  const { forkServer, ...differences } = { ...COMMON, ...row };
  if (platform === 'win32') return onWindows(differences, commandLine);
  // Windows has no fork(2), macOS system libraries are not fork-safe, and only Linux reports a process's thread count.
  return { ...differences, ...(platform === 'linux' && forkServer !== undefined && { forkServer }) };
}
