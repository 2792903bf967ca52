import { OutputRecorder } from '../../../src/recording/recorder';
import { storedOutput } from '../../../src/recording/output';
import type { KernelMessage } from '../../../src/recording/kernel-message';
import type { Output } from '../../../src/notebook/model';

/** A message of the iopub channel. Content is an object, or JSON text when its spelling matters. */
export function message(
  type: string,
  content: unknown,
  parentId: string | undefined = 'r0',
  buffers: readonly Buffer[] = [],
): KernelMessage {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return { type, date: undefined, parentId, content: Buffer.from(text), buffers };
}

export const stream = (text: string, parentId = 'r0', name = 'stdout'): KernelMessage =>
  message('stream', { name, text }, parentId);

export const display = (text: string, displayId?: string, parentId = 'r0'): KernelMessage =>
  message('display_data', bundle(text, displayId), parentId);

export const update = (text: string, displayId: string, parentId = 'r0'): KernelMessage =>
  message('update_display_data', bundle(text, displayId), parentId);

export const clear = (wait: boolean, parentId = 'r0'): KernelMessage =>
  message('clear_output', { wait }, parentId);

function bundle(text: string, displayId: string | undefined): object {
  return {
    data: { 'text/plain': text },
    metadata: {},
    transient: displayId === undefined ? {} : { display_id: displayId },
  };
}

/** A recorder that has run two cells: cell 0 as request r0, cell 2 as request r2. */
export function recorderOf(messages: readonly KernelMessage[]): OutputRecorder {
  const recorder = new OutputRecorder(() => undefined);
  recorder.startCell(0, 'r0');
  recorder.startCell(2, 'r2');
  for (const each of messages) recorder.record(each);
  return recorder;
}

/** The outputs of a cell after these messages. */
export function outputsAfter(messages: readonly KernelMessage[], cell = 0): Output[] {
  return recorderOf(messages).outputsOf(cell).map(storedOutput);
}

export const stored = {
  stream: (text: string, name = 'stdout') => ({ output_type: 'stream', name, text }),
  display: (text: string) => ({ output_type: 'display_data', data: { 'text/plain': text }, metadata: {} }),
};
