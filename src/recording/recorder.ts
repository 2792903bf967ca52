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

/** Whether messages of this type change outputs; all others can be omitted without changing what is recorded. */
export function changesOutputs(type: string): type is (typeof OUTPUT_MESSAGES)[number] {
  return NAMES.has(type);
}
const NAMES: ReadonlySet<string> = new Set(OUTPUT_MESSAGES);

/**
 * Why less was recorded than the kernel sent: a message was too long to be read, or an earlier message that this one
 * refers to has never arrived.
 */
export type Loss = 'tooLarge' | 'lost';

/** A message longer than this cannot become a string. */
const MAX_CONTENT = constants.MAX_STRING_LENGTH;

/**
 * Converts Jupyter messages to the outputs of a notebook's cells ("Messaging in Jupyter", "Messages on the IOPub
 * channel"). The result depends only on the calls: no clock, no kernel, no file.
 */
export class OutputRecorder {
  private readonly cells = new Map<number, OutputList>();
  private readonly cellOfRequest = new Map<string, number>();
  private readonly displays = new Map<string, Map<RecordedData, OutputList>>();
  private readonly errors = new Map<number, ErrorOutput>();
  readonly widgets: WidgetStates;

  /**
   * @param onChange Called when outputs of the cell `index` changed: with the output that was added or changed, or
   *   without one if outputs were removed. Without `index`: the widgets changed.
   * @param maxContent Most bytes of content that fit into a string.
   */
  constructor(
    private readonly onChange: (index?: number, output?: RecordedOutput) => void,
    private readonly maxContent = MAX_CONTENT,
  ) {
    this.widgets = new WidgetStates(() => {
      this.onChange();
    });
  }

  /** Starts a cell that is run by this request. The request's messages belong to it, however late they arrive. */
  startCell(index: number, requestId: string): void {
    this.cellOfRequest.set(requestId, index);
    this.cells.set(
      index,
      new OutputList((output) => {
        this.onChange(index, output);
      }),
    );
  }

  /** The cell that ran this request; undefined for requests of other clients. */
  cellOf(requestId: string | undefined): number | undefined {
    return requestId === undefined ? undefined : this.cellOfRequest.get(requestId);
  }

  /** The last error that the cell sent, even if it is no longer among the cell's outputs. */
  lastErrorOf(index: number): ErrorOutput | undefined {
    return this.errors.get(index);
  }

  outputsOf(index: number): readonly RecordedOutput[] {
    return this.cells.get(index)?.outputs ?? [];
  }

  /**
   * Records one message of the iopub channel. Messages of other clients' requests are ignored.
   * @returns what is missing. If a message is too large, the output says so in its place.
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
        // A stream has just two strings, so JSON.parse loses nothing, and it is the fastest parser.
        const stream = asObject(JSON.parse(text) as JsonObject);
        target.appendStream(asString(stream['name'], 'stdout'), asString(stream['text']));
      } else {
        const content = asObject(parseJson(text));
        if (message.type === 'error') this.errors.set(index, errorOutputOf(content));
        return this.apply(message.type, content, message.buffers, target);
      }
    } catch (error) {
      // Invalid JSON: there is no output.
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

  /** Updates the displays of an id. @returns false if there has been no display of that id. */
  private updateDisplays(content: JsonObject): boolean {
    const id = displayIdOf(content);
    if (id === undefined) return true;
    const displays = this.displays.get(id);
    if (!displays) return false;
    for (const [output, list] of displays) {
      Object.assign(output.value, bundleOf(content));
      // A display that was cleared no longer changes anything.
      if (list.outputs.includes(output)) list.onChange(output);
      else displays.delete(output);
    }
    return true;
  }
}

/** Decodes ASCII, such as images and most streams, separately: that is many times faster. */
function textOf(content: Buffer): string {
  return content.toString(isAscii(content) ? 'latin1' : 'utf8');
}

function displayIdOf(content: JsonObject): string | undefined {
  const id = asObject(content['transient'])['display_id'];
  return typeof id === 'string' ? id : undefined;
}
