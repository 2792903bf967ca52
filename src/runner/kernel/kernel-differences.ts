import type { KernelLaunch } from '../job';

/** What kernels do differently, as far as running notebooks on them goes. */
export interface KernelDifferences {
  /** Takes `ipc` sockets. Others do not know them, or end when asked for them. */
  readonly ipc: boolean;
  /** Changes the command line of its kernelspec. `{interrupt_event}` and `{parent_pid}` are filled in as `{connection_file}` is. */
  commandLine(argv: readonly string[]): string[];
  /** How to interrupt it, whatever its kernelspec says. `event`: the event of Windows that `{interrupt_event}` names. */
  readonly interruptMode?: 'signal' | 'message' | 'event';
  /** Milliseconds to go on listening after the last cell: its streams may come after its idle. */
  readonly lateStreams: number;
  /** Milliseconds for which it aborts every request after a failed one, also those that were sent later. */
  readonly abortsAfterError: number;
}

const COMMON: KernelDifferences = {
  ipc: false,
  commandLine: (argv) => [...argv],
  lateStreams: 0,
  abortsAfterError: 0,
};

/**
 * Does what `-m ipykernel_launcher` does, but lets ipykernel find no debugpy while it looks for a debugger: nobody
 * debugs a run, and loading it is a third of the kernel's start. Notebooks can import debugpy as ever. In one line, as
 * `conda run` passes no others on; without the working directory, whose modules are not to be taken for Python's.
 */
const IPYKERNEL = [
  "import sys, runpy; first = sys.path[:1] == ['']; first and sys.path.pop(0); sys.modules['debugpy'] = None",
  "exec('try:\\n import ipykernel.debugger\\nexcept Exception: pass')",
  "del sys.modules['debugpy']; first and sys.path.insert(0, '')",
  "runpy._run_module_as_main('ipykernel_launcher')",
];

/**
 * On Windows ipykernel is interrupted by an event and ends with its parent's process, and wants handles of both that are
 * its own. jupyter-client hands them down; here it makes them itself, of the event's name and the process' id.
 */
const HANDLES = [
  "import os, ctypes; k = ctypes.WinDLL('kernel32'); k.CreateEventW.restype = k.OpenProcess.restype = ctypes.c_void_p",
  "os.environ['JPY_INTERRUPT_EVENT'] = str(k.CreateEventW(None, False, False, r'{interrupt_event}') or 0)",
  // 0x100000: SYNCHRONIZE, the right to wait for its end.
  "os.environ['JPY_PARENT_PID'] = str(k.OpenProcess(0x100000, False, {parent_pid}) or 0)",
];

function ipykernelCommand(argv: readonly string[], program = IPYKERNEL): string[] {
  const at = argv.findIndex((each, index) => each === '-m' && argv[index + 1] === 'ipykernel_launcher');
  const start = at < 0 ? [...argv] : argv.toSpliced(at, 2, '-c', program.join('; '));
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
  [/\bipykernel/, { ipc: true, commandLine: (argv) => ipykernelCommand(argv) }],
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
        commandLine: (argv) => ipykernelCommand(argv, IPYKERNEL.toSpliced(1, 0, ...HANDLES)),
      }
    : { ...differences, ipc: false, interruptMode: 'message' };
}

/** The row of the table for this kernel, on this platform. */
export function kernelDifferences(launch: KernelLaunch, platform = process.platform): KernelDifferences {
  const commandLine = launch.argv.join(' ');
  const row = TABLE.find(([pattern]) => pattern.test(commandLine))?.[1];
  const differences = { ...COMMON, ...row };
  return platform === 'win32' ? onWindows(differences, commandLine) : differences;
}
