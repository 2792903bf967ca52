import { Findings } from '../notebook/findings';
import { isJsonObject, type JsonObject, type JsonValue } from '../notebook/json';
import type { ErrorOutput, Output, StreamOutput } from '../notebook/model';
import { countOrNull, joinBundle } from '../notebook/normalize-outputs';
import { TerminalText } from './terminal-text';

/** An output of a code cell while it is being recorded (nbformat 4.5, "Code cell outputs"). */
export type RecordedOutput = RecordedStream | RecordedData;

/** A stream; its text is as a terminal shows it. */
export interface RecordedStream {
  readonly type: 'stream';
  readonly name: string;
  readonly text: TerminalText;
}

/** Any output except a stream, as it appears in the notebook. */
export interface RecordedData {
  readonly type: 'data';
  readonly value: StoredOutput;
}

type StoredOutput = Exclude<Output, StreamOutput>;

/** A list of outputs: those of a cell, or those that an Output widget captured. */
export class OutputList {
  outputs: RecordedOutput[] = [];
  /** `clear_output(wait=True)` was called: the next output replaces all others. */
  private clearBeforeNext = false;

  /** @param onChange Called with the output that was added or changed, or without one when the list was cleared. */
  constructor(readonly onChange: (output?: RecordedOutput) => void) {}

  appendStream(name: string, text: string): void {
    this.clearIfPending();
    const last = this.outputs.at(-1);
    if (last?.type === 'stream' && last.name === name) {
      last.text.append(text);
      this.onChange(last);
      return;
    }
    const output: RecordedStream = { type: 'stream', name, text: new TerminalText() };
    output.text.append(text);
    this.outputs.push(output);
    this.onChange(output);
  }

  append(value: StoredOutput): RecordedData {
    this.clearIfPending();
    const output: RecordedData = { type: 'data', value };
    this.outputs.push(output);
    this.onChange(output);
    return output;
  }

  clear(wait: boolean): void {
    this.clearBeforeNext = wait;
    if (wait) return;
    this.outputs = [];
    this.onChange();
  }

  /** Replaces all outputs by outputs from a notebook, without calling `onChange`. */
  assign(values: readonly JsonObject[]): void {
    this.outputs = values.map((value) => {
      if (value['output_type'] !== 'stream') return { type: 'data', value: storedOutputOf(value) };
      const text = new TerminalText();
      text.append(asString(value['text']));
      return { type: 'stream', name: asString(value['name']), text };
    });
  }

  private clearIfPending(): void {
    if (this.clearBeforeNext) this.clear(false);
  }
}

/** The output as in nbformat, with the text of a stream as one string. */
export function storedOutput(output: RecordedOutput): Output {
  return output.type === 'stream'
    ? { output_type: 'stream', name: output.name, text: output.text.toString() }
    : output.value;
}

/** The outputs as in nbformat, as plain JSON. */
export function outputsAsJson(list: OutputList): JsonObject[] {
  return list.outputs.map((output) => ({ ...storedOutput(output) }));
}

/** The output in a message's content, with the message's type as `output_type`. Missing fields are empty. */
export function storedOutputOf(content: JsonObject): StoredOutput {
  const { output_type: type, execution_count: count } = content;
  if (type === 'error') return errorOutputOf(content);
  const bundle = bundleOf(content);
  return type === 'execute_result'
    ? { output_type: type, execution_count: countOrNull(count), ...bundle }
    : { output_type: 'display_data', ...bundle };
}

/** The error in a message's content. Missing fields are empty. */
export function errorOutputOf({ ename, evalue, traceback }: JsonObject): ErrorOutput {
  return {
    output_type: 'error',
    ename: asString(ename),
    evalue: asString(evalue),
    traceback: Array.isArray(traceback) ? traceback.map((line) => asString(line)) : [],
  };
}

/** Data and metadata of a message, made valid for nbformat: kernels send anything under any mime type. */
export function bundleOf(content: JsonObject): { data: JsonObject; metadata: JsonObject } {
  const data = asObject(content['data']);
  joinBundle(data, new Findings());
  return { data, metadata: asObject(content['metadata']) };
}

/** `value` if it is a JSON object, else an empty one. */
export function asObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** `value` if it is text, else `otherwise`. */
export function asString(value: JsonValue | undefined, otherwise = ''): string {
  return typeof value === 'string' ? value : otherwise;
}
