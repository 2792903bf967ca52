import type { JsonObject } from '../../notebook/json';
import type { ExecuteReply } from './kernel-client';

/*
 * Payloads come with the reply of a cell, even of a failed one, and tell the front end what to do apart from showing
 * outputs ("Messaging in Jupyter", "Payloads").
 */

/**
 * Python that changes two things in ipykernel's payloads. Every page of a cell is kept, not only the last one. And
 * after a SystemExit, a payload holds the status with which Python itself would exit (CPython, `handle_system_exit`).
 * The error's text does not reveal it: `sys.exit('0')` is a failure, `sys.exit(False)` and `sys.exit(256)` are not.
 */
export const CHANGE_PAYLOADS = `
try:
    import os
    from IPython.core.payload import PayloadManager
    from ipykernel.zmqshell import ZMQInteractiveShell
    def writing(write):
        def write_payload(self, data, single=True):
            return write(self, data, single and data.get('source') != 'page')
        return write_payload
    def showing(show):
        # What the system keeps of a status.
        bits = 0xff if os.name == 'posix' else 0xffffffff
        def status_of(error):
            try:
                code = error.code
            except BaseException:
                return 1
            if code is None:
                return 0
            if not isinstance(code, int):
                return 1
            return int.__and__(code, bits) if int.bit_length(code) < 64 else bits
        def _showtraceback(self, etype, evalue, stb):
            if isinstance(evalue, SystemExit):
                name = type(evalue).__name__
                self.payload_manager.write_payload({'source': 'exit_status', 'name': name, 'status': status_of(evalue)})
            return show(self, etype, evalue, stb)
        return _showtraceback
    PayloadManager.write_payload = writing(PayloadManager.write_payload)
    ZMQInteractiveShell._showtraceback = showing(ZMQInteractiveShell._showtraceback)
except Exception:
    pass
`;

/** Texts of a SystemExit for which Python's exit status is 0. */
const CLEAN = ['', '0', 'None', 'False'];

/** Whether the cell ended the notebook successfully: by `exit()`, or by a SystemExit with an exit status of 0. */
export function isCleanExit({ status, ename, evalue, payload = [] }: ExecuteReply): boolean {
  if (status === 'ok') return payload.some(({ source }) => source === 'ask_exit');
  const reported = payload.find(({ source, name }) => source === 'exit_status' && name === ename);
  // Without a reported status there is only the text of the error.
  return reported ? reported.status === 0 : ename === 'SystemExit' && CLEAN.includes(evalue ?? '');
}

/** The mime bundles for the kernel's pager (`len?`, `%prun`). A front end shows them apart from the outputs. */
export function pagedIn({ payload = [] }: ExecuteReply): JsonObject[] {
  return payload.flatMap(({ source, data }) => (source === 'page' && data ? [data as JsonObject] : []));
}
