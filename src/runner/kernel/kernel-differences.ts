import type { KernelLaunch } from '../job';

/** What kernels do differently, as far as running notebooks on them goes. */
export interface KernelDifferences {
  /** Takes `ipc` sockets. Others do not know them, or end when asked for them. */
  readonly ipc: boolean;
  /** Changes the command line of its kernelspec. */
  commandLine(argv: readonly string[]): string[];
  /** How to interrupt it, whatever its kernelspec says. */
  readonly interruptMode?: 'signal' | 'message';
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
const WITHOUT_DEBUGGER = [
  "import sys, runpy; first = sys.path[:1] == ['']; first and sys.path.pop(0); sys.modules['debugpy'] = None",
  "exec('try:\\n import ipykernel.debugger\\nexcept Exception: pass')",
  "del sys.modules['debugpy']; first and sys.path.insert(0, '')",
  "runpy._run_module_as_main('ipykernel_launcher')",
].join('; ');

function ipykernelCommand(argv: readonly string[]): string[] {
  const at = argv.findIndex((each, index) => each === '-m' && argv[index + 1] === 'ipykernel_launcher');
  const start = at < 0 ? [...argv] : argv.toSpliced(at, 2, '-c', WITHOUT_DEBUGGER);
  // The user's own history file stays as it is, and a cell is 2 ms faster without it.
  return [...start, '--HistoryManager.hist_file=:memory:'];
}

/** The only place that knows kernels by name. The command line tells them apart; the name of a kernelspec is the person's. */
const TABLE: readonly (readonly [commandLine: RegExp, differences: Partial<KernelDifferences>])[] = [
  [/\bipykernel/, { ipc: true, commandLine: ipykernelCommand }],
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
