import { CHANGE_PAYLOADS } from './payloads';

/*
 * The Python programs that start ipykernel instead of `-m ipykernel_launcher`.
 */

/**
 * Changes two things in ipykernel (6 and 7), for the life of the process:
 *
 * - Its iopub socket queues any number of messages. By default ZeroMQ silently drops those beyond 1,000 that the
 *   other side has not read yet. Sockets take the option from their context, and only before they are bound.
 * - It ends with what Python does at exit: threads are joined, atexit callbacks run (those of multiprocessing join its
 *   processes, IPython's free the user's objects, which closes their files), C's exit handlers run. Only the teardown
 *   of the interpreter (100 ms) is skipped, unless something is still open for writing. In that case such files are
 *   flushed first, because Python itself loses the data of files in reference cycles. ipykernel terminates child
 *   processes before all of that; here the runner ends those that are left afterwards.
 *
 * Output during the exit belongs to the last cell. That cell is looked up in a new context, because ipykernel 7 has
 * none in this thread's context. The control thread is joined because it flushes the streams after the shutdown
 * request, and would wait 10 s for an iopub thread that has just ended. Without `/dev/fd` (Windows), Python ends as
 * usual.
 */
const CHANGES = `
import atexit, contextlib, contextvars, io, os, sys, threading, zmq
from ipykernel.kernelapp import IPKernelApp as App
from ipykernel.kernelbase import Kernel
def init_iopub(self, context, original=App.init_iopub):
    context.setsockopt(zmq.SNDHWM, 0)
    original(self, context)
    del context.sockopts[zmq.SNDHWM]
async def leave(self):
    pass
def open_for_writing():
    import fcntl, socket, stat
    found = set()
    for name in os.listdir('/dev/fd'):
        with contextlib.suppress(OSError):
            each, is_open = os.fstat(int(name)), True
            if stat.S_ISSOCK(each.st_mode):
                other = socket.socket(fileno=int(name))
                is_open = other.family not in (socket.AF_UNIX, socket.AF_NETLINK)
                other.detach()
            elif stat.S_IFMT(each.st_mode):
                is_open = fcntl.fcntl(int(name), fcntl.F_GETFL) & os.O_ACCMODE
            else:
                is_open = False
            if is_open:
                found.add((name, each.st_dev, each.st_ino))
    return found
def start(self, original=App.start):
    known = None
    with contextlib.suppress(Exception):
        known = open_for_writing()
    def send_outputs():
        iopub = self.iopub_thread
        iopub.schedule(lambda: iopub.socket.setsockopt(zmq.LINGER, -1))
        sys.stdout.flush()
        sys.stderr.flush()
    atexit.register(send_outputs)
    original(self)
    with contextlib.suppress(Exception):
        self.control_thread.join(1)
        self.shell.set_parent(contextvars.Context().run(self.kernel.get_parent, 'shell'))
        if known is not None:
            import ctypes, gc
            threading._shutdown()
            gc.freeze()
            atexit._run_exitfuncs()
            if open_for_writing() <= known:
                sys.stdout.flush()
                ctypes.PyDLL(None).exit(0)
            gc.unfreeze()
            for each in gc.get_objects():
                if issubclass(type(each), (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)):
                    with contextlib.suppress(Exception):
                        each.flush()
App.init_iopub, App.start, Kernel._progressively_terminate_all_children = init_iopub, start, leave
`;

/**
 * Does what `-m ipykernel_launcher` does, with {@link CHANGES} and {@link CHANGE_PAYLOADS}, but hides debugpy while
 * ipykernel looks for a debugger: runs are not debugged, and loading debugpy takes a third of the kernel's start.
 * Notebooks can import debugpy as usual. The program is one line, because `conda run` passes on no others. Meanwhile
 * the working directory is not on the path, so that its modules are not taken for Python's.
 */
const LAUNCH = [
  "import sys, runpy; first = sys.path[:1] == ['']; first and sys.path.pop(0); sys.modules['debugpy'] = None",
  inOneLine('import ipykernel.debugger'),
  inOneLine(CHANGE_PAYLOADS),
  "del sys.modules['debugpy']",
  inOneLine(CHANGES),
  "first and sys.path.insert(0, '')",
];
const RUN = "runpy._run_module_as_main('ipykernel_launcher')";

/**
 * On Windows, ipykernel is interrupted by an event and ends with its parent process. For both it needs handles of its
 * own. jupyter-client passes them down; here ipykernel opens them itself, from the event's name and the process id.
 */
const HANDLES = [
  "import os, ctypes; k = ctypes.WinDLL('kernel32'); k.CreateEventW.restype = k.OpenProcess.restype = ctypes.c_void_p",
  "os.environ['JPY_INTERRUPT_EVENT'] = str(k.CreateEventW(None, False, False, r'{interrupt_event}') or 0)",
  // 0x100000: SYNCHRONIZE, the right to wait for the process to end.
  "os.environ['JPY_PARENT_PID'] = str(k.OpenProcess(0x100000, False, {parent_pid}) or 0)",
];

/**
 * What the fork server does between loading and becoming a kernel. Its channel, file descriptor 3, receives lines of
 * JSON: the arguments of the next kernel, or null when no more will be requested. It answers whether the kernel was
 * forked, and with what status each kernel ended. If the channel closes, the runner is gone: the server exits, and its
 * kernels notice that. The parent's process id is set in the environment before ipykernel is loaded, which reads it
 * then. A kernel leads its own session before it is reported, like those that are started. A process with threads is
 * not forked: their locks would stay locked forever.
 */
const FORK = `
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

/** The program of a kernel, in one line. */
export function kernelProgram(platform: NodeJS.Platform = process.platform): string {
  return [...LAUNCH.slice(0, 1), ...(platform === 'win32' ? HANDLES : []), ...LAUNCH.slice(1), RUN].join(
    '; ',
  );
}

/** The program of a process that forks such kernels, see fork-server.ts. */
export function forkServerProgram(): string {
  return ["import os; os.environ['JPY_PARENT_PID'] = str(os.getpid())", ...LAUNCH, FORK, RUN].join('\n');
}

/**
 * Runs lines in their own namespace; if they fail, the kernel still starts. Without double quotes, for which
 * cmd.exe has its own rules.
 */
function inOneLine(lines: string): string {
  const text = `try:${`\n${lines.trim()}`.replaceAll('\n', '\n ')}\nexcept Exception: pass`;
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll("'", String.raw`\'`)
    .replaceAll('\n', String.raw`\n`);
  return `exec('${escaped}', {})`;
}
