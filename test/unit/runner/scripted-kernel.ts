import type { KernelLaunch } from '../../../src/protocol/runner-job';
import { pythonKernel } from './running';

/**
 * A kernel controlled by a script, for behaviour that real kernels lack. `execute(request, ident)` is called for each
 * cell. It can use `iopub(type, content)`, whose content may be bytes, `reply(content)`, `ask()`, which asks for input and
 * returns it, `code`, and `status(state)`. `beforeBinding` can change `info`, the connection file.
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
import hmac, json, sys, time, zmq
from datetime import datetime, timezone
info = json.load(open(sys.argv[1]))
${beforeBinding}
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
def send(socket, type, content, request, *ident):
    header = {'msg_type': type, 'date': datetime.now(timezone.utc).isoformat()}
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    parts = [json.dumps(header).encode(), request['header'], b'{}', content]
    signature = hmac.digest(info['key'].encode(), b''.join(parts), 'sha256').hex().encode()
    socket.send_multipart([*ident, b'<IDS|MSG>', signature, *parts])
def receive(socket):
    ident, _, _, header, _, _, content, *_ = socket.recv_multipart()
    return ident, {'type': json.loads(header)['msg_type'], 'header': header, 'content': json.loads(content)}
def execute(request, ident):
    code = request['content']['code']
    iopub = lambda type, content: send(outputs, type, content, request)
    status = lambda state: iopub('status', {'execution_state': state})
    reply = lambda content: send(shell, 'execute_reply', content, request, ident)
    def ask():
        while True:
            try:
                send(stdin, 'input_request', {'prompt': '', 'password': False}, request, ident)
                return receive(stdin)[1]['content']
            except zmq.ZMQError as error:
                # The other side connects its sockets one after the other: this one may be on its way.
                if error.errno != zmq.EHOSTUNREACH:
                    raise
                time.sleep(0.01)
    status('busy')
${body}
poller = zmq.Poller()
poller.register(shell, zmq.POLLIN)
poller.register(control, zmq.POLLIN)
while True:
    for socket, _ in poller.poll():
        ident, request = receive(socket)
        if socket is control:
            sys.exit(0)
        if request['type'] == 'kernel_info_request':
            send(outputs, 'status', {'execution_state': 'busy'}, request)
            send(shell, 'kernel_info_reply', {'language_info': ${languageInfo}}, request, ident)
            send(outputs, 'status', {'execution_state': 'idle'}, request)
        elif request['type'] == 'execute_request':
            execute(request, ident)
`),
    name: 'scripted',
  };
}
