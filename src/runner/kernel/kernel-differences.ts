import type { KernelLaunch } from '../job';
import { CHANGE_PAYLOADS } from './payloads';

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

/**
 * Does what `-m ipykernel_launcher` does, but lets ipykernel find no debugpy while it looks for a debugger: nobody
 * debugs a run, and loading it is a third of the kernel's start. Notebooks can import debugpy as ever. In one line, as
 * `conda run` passes no others on; without the working directory, whose modules are not to be taken for Python's.
 */
const IPYKERNEL = [
  "import sys, runpy; first = sys.path[:1] == ['']; first and sys.path.pop(0); sys.modules['debugpy'] = None",
  "exec('try:\\n import ipykernel.debugger\\nexcept Exception: pass')",
  inOneLine(CHANGE_PAYLOADS),
  "del sys.modules['debugpy']; first and sys.path.insert(0, '')",
  "runpy._run_module_as_main('ipykernel_launcher')",
];

/** A program as a statement of one line. The names that it defines are no one else's. */
function inOneLine(program: string): string {
  const text = program.replaceAll(/[\\']/g, '\\$&').replaceAll('\n', '\\n');
  return `exec('${text}', {})`;
}

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

/**
 * What the fork server does between loading and becoming a kernel. Its channel, file descriptor 3, brings lines of JSON:
 * what a kernel is to be given, or null when no more will be asked for. It answers what became of it, and with what status
 * each kernel ended. Where the channel closes, the runner is gone: so is this process then, and its kernels notice.
 * Whose child a kernel is stands in the environment from before ipykernel is loaded, which looks there then.
 * A kernel leads its own session, as those that are started do, before anybody hears of it. A process with threads is not
 * forked: their locks would stay locked for ever.
 */
const FORK = `
import os
os.environ['JPY_PARENT_PID'] = str(os.getpid())
from ipykernel import kernelapp
def fork_server():
    import json, os, select, signal, sys
    def answer(*words):
        os.write(3, (json.dumps(words) + '\\n').encode())
    wake, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakeup)
    received, wanted, kernels = b'', True, 0
    while wanted or kernels:
        ready = select.select([3, wake], [], [])[0]
        if wake in ready:
            os.read(wake, 4096)
            while kernels:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                kernels -= 1
                answer('ended', pid, status)
        if 3 in ready:
            data = os.read(3, 65536)
            if not data:
                os._exit(0)
            *lines, received = (received + data).split(b'\\n')
            for line in lines:
                request = json.loads(line)
                if request is None:
                    wanted = False
                    continue
                if len(os.listdir('/proc/self/task')) > 1:
                    answer('refused')
                    continue
                begun, begins = os.pipe()
                pid = os.fork()
                if pid == 0:
                    os.setsid()
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os.chdir(request['cwd'])
                    log = os.open(request['log'], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                    os.dup2(log, 1)
                    os.dup2(log, 2)
                    os.write(begins, b'.')
                    for each in (log, begun, begins, wake, wakeup, 3):
                        os.close(each)
                    sys.argv[1:] = request['args']
                    return
                os.close(begins)
                if os.read(begun, 1):
                    kernels += 1
                    answer('forked', pid)
                else:
                    os.waitpid(pid, 0)
                    answer('refused')
                os.close(begun)
    os._exit(0)
fork_server()
del fork_server
`;

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
  const program = [...IPYKERNEL.slice(0, -1), FORK, ...IPYKERNEL.slice(-1)].join('\n');
  return { argv: [...argv.slice(0, at), '-c', program], words: at + 2 };
}

function ipykernelCommand(argv: readonly string[], program = IPYKERNEL): string[] {
  const at = launcherIn(argv);
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
  [
    /\bipykernel/,
    {
      ipc: true,
      commandLine: (argv) => ipykernelCommand(argv),
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
        commandLine: (argv) => ipykernelCommand(argv, IPYKERNEL.toSpliced(1, 0, ...HANDLES)),
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
