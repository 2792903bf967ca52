import type { KernelLaunch } from '../../../src/runner/job';
import { pythonKernel } from './running';

/**
 * A kernel that does what a script says, where a real one would not. `execute(request, ident)` is called for each cell; it has
 * `iopub(type, content)`, `reply(content)`, `ask()`, which asks for input and answers what came, `code`, and `status(state)`.
 * `beforeBinding` can change `info`, the connection file.
 */
export function scriptedKernel(
  execute: string,
  languageInfo = "{'name': 'python'}",
  beforeBinding = '',
): KernelLaunch {
  const body = execute
    .trim()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
  return {
    ...pythonKernel(`
import json, sys, zmq
from jupyter_client.session import Session
info = json.load(open(sys.argv[1]))
${beforeBinding}
session = Session(key=info['key'].encode())
context = zmq.Context()
at = lambda name: f"{info['transport']}://{info['ip']}{'-' if info['transport'] == 'ipc' else ':'}{info[name]}"
def bound(kind, name):
    socket = context.socket(kind)
    socket.bind(at(name))
    return socket
shell, control, stdin = (bound(zmq.ROUTER, f'{name}_port') for name in ('shell', 'control', 'stdin'))
outputs = bound(zmq.PUB, 'iopub_port')
for each in (shell, control, stdin):
    each.router_mandatory = 1
def execute(request, ident):
    code = request['content']['code']
    iopub = lambda type, content: session.send(outputs, type, content, parent=request)
    status = lambda state: iopub('status', {'execution_state': state})
    reply = lambda content: session.send(shell, 'execute_reply', content, parent=request, ident=ident)
    def ask():
        session.send(stdin, 'input_request', {'prompt': '', 'password': False}, parent=request, ident=ident)
        return session.recv(stdin, mode=0)[1]['content']
    status('busy')
${body}
poller = zmq.Poller()
poller.register(shell, zmq.POLLIN)
poller.register(control, zmq.POLLIN)
while True:
    for socket, _ in poller.poll():
        ident, request = session.recv(socket, mode=0)
        if socket is control:
            sys.exit(0)
        if request['header']['msg_type'] == 'kernel_info_request':
            session.send(outputs, 'status', {'execution_state': 'busy'}, parent=request)
            session.send(shell, 'kernel_info_reply', {'language_info': ${languageInfo}}, parent=request, ident=ident)
            session.send(outputs, 'status', {'execution_state': 'idle'}, parent=request)
        elif request['header']['msg_type'] == 'execute_request':
            execute(request, ident)
`),
    name: 'scripted',
  };
}
