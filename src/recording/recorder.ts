import { constants, isAscii } from 'node:buffer';
import { JsonError, parseJson, type JsonObject } from '../notebook/json';
import type { ErrorOutput } from '../notebook/model';
import type { KernelMessage } from './kernel-message';
import {
  asObject,
  asString,
  bundleOf,
  errorOutputOf,
  OutputList,
  storedOutputOf,
  type RecordedData,
  type RecordedOutput,
} from './output';
import { WidgetStates } from './widget-state';

const OUTPUT_MESSAGES = [
  'stream',
  'display_data',
  'update_display_data',
  'execute_result',
  'error',
  'clear_output',
  'comm_open',
  'comm_msg',
  'comm_close',
] as const;
type OutputMessageType = Exclude<(typeof OUTPUT_MESSAGES)[number], 'stream'>;

/** Whether messages of this type change outputs; all others can be left out without changing what is recorded. */
export function changesOutputs(type: string): type is (typeof OUTPUT_MESSAGES)[number] {
  return NAMES.has(type);
}
const NAMES: ReadonlySet<string> = new Set(OUTPUT_MESSAGES);

/**
 * Why what is recorded is less than what the kernel said: a message was too long to be read, or one before it, which this one
 * refers to, has never come.
 */
export type Loss = 'tooLarge' | 'lost';

/** A message longer than this cannot become a string. */
const MAX_CONTENT = constants.MAX_STRING_LENGTH;

/**
 * From Jupyter messages to the outputs of a notebook's cells ("Messaging in Jupyter", "Messages on the IOPub channel").
 * What it answers depends on the calls alone: no clock, no kernel, no file.
 */
export class OutputRecorder {
  private readonly cells = new Map<number, OutputList>();
  private readonly cellOfRequest = new Map<string, number>();
  private readonly displays = new Map<string, Map<RecordedData, OutputList>>();
  private readonly errors = new Map<number, ErrorOutput>();
  readonly widgets: WidgetStates;

  /**
   * @param onChange Called when outputs of the cell `index` changed: with the output that was added or changed, or
   * without one where some went away. Without `index`: the widgets changed.
   * @param maxContent Bytes of content of which a string can be made.
   */
  constructor(
    private readonly onChange: (index?: number, output?: RecordedOutput) => void,
    private readonly maxContent = MAX_CONTENT,
  ) {
    this.widgets = new WidgetStates(() => {
      this.onChange();
    });
  }

  /** The request with this id runs the cell; its messages belong there from now on, however late they come. */
  startCell(index: number, requestId: string): void {
    this.cellOfRequest.set(requestId, index);
    this.cells.set(
      index,
      new OutputList((output) => {
        this.onChange(index, output);
      }),
    );
  }

  /** The cell that ran this request; undefined for strangers'. */
  cellOf(requestId: string | undefined): number | undefined {
    return requestId === undefined ? undefined : this.cellOfRequest.get(requestId);
  }

  /** The last error that the cell sent, also where it does not stand in its outputs any more. */
  lastErrorOf(index: number): ErrorOutput | undefined {
    return this.errors.get(index);
  }

  outputsOf(index: number): readonly RecordedOutput[] {
    return this.cells.get(index)?.outputs ?? [];
  }

  /**
   * Records one message of the iopub channel. Those of strangers are ignored.
   * @returns what is missing; in the place of a message that is too large the output says so.
   */
  record(message: KernelMessage): Loss | undefined {
    const index = this.cellOf(message.parentId);
    const cell = index === undefined ? undefined : this.cells.get(index);
    if (!cell || index === undefined || message.parentId === undefined || !changesOutputs(message.type))
      return undefined;
    const target = this.widgets.captorOf(message.parentId) ?? cell;
    if (message.content.length > this.maxContent) {
      target.appendStream(
        'stderr',
        `[${message.type} of ${String(message.content.length)} bytes: too large to be kept]\n`,
      );
      return 'tooLarge';
    }
    try {
      const text = textOf(message.content);
      if (message.type === 'stream') {
        // Two strings: nothing that JSON.parse could harm, and it is the fastest there is.
        const stream = asObject(JSON.parse(text) as JsonObject);
        target.appendStream(asString(stream['name'], 'stdout'), asString(stream['text']));
      } else {
        const content = asObject(parseJson(text));
        if (message.type === 'error') this.errors.set(index, errorOutputOf(content));
        return this.apply(message.type, content, message.buffers, target);
      }
    } catch (error) {
      // Not JSON: no output either.
      if (!(error instanceof SyntaxError || error instanceof JsonError)) throw error;
    }
    return undefined;
  }

  private apply(
    type: OutputMessageType,
    content: JsonObject,
    buffers: readonly Buffer[],
    target: OutputList,
  ): 'lost' | undefined {
    let isWhole = true;
    switch (type) {
      case 'display_data':
      case 'execute_result':
        this.display(type, content, target);
        break;
      case 'update_display_data':
        isWhole = this.updateDisplays(content);
        break;
      case 'error':
        target.append(errorOutputOf(content));
        break;
      case 'clear_output':
        target.clear(content['wait'] === true);
        break;
      case 'comm_open':
        this.widgets.open(content, buffers);
        break;
      case 'comm_msg':
        isWhole = this.widgets.message(content, buffers);
        break;
      case 'comm_close':
        isWhole = this.widgets.close(content);
        break;
    }
    return isWhole ? undefined : 'lost';
  }

  private display(type: 'display_data' | 'execute_result', content: JsonObject, target: OutputList): void {
    this.updateDisplays(content);
    const output = target.append(storedOutputOf({ ...content, output_type: type }));
    const id = displayIdOf(content);
    if (id === undefined) return;
    const displays = this.displays.get(id) ?? new Map<RecordedData, OutputList>();
    this.displays.set(id, displays.set(output, target));
  }

  /** @returns whether there has been a display of that id. */
  private updateDisplays(content: JsonObject): boolean {
    const id = displayIdOf(content);
    if (id === undefined) return true;
    const displays = this.displays.get(id);
    if (!displays) return false;
    for (const [output, list] of displays) {
      Object.assign(output.value, bundleOf(content));
      // One that was cleared away changes nothing any more.
      if (list.outputs.includes(output)) list.onChange(output);
      else displays.delete(output);
    }
    return true;
  }
}

/** ASCII, as images and most streams are, is decoded many times faster. */
function textOf(content: Buffer): string {
  return content.toString(isAscii(content) ? 'latin1' : 'utf8');
}

function displayIdOf(content: JsonObject): string | undefined {
  const id = asObject(content['transient'])['display_id'];
  return typeof id === 'string' ? id : undefined;
}
