import { isJsonObject, type JsonObject, type JsonValue } from '../notebook/json';
import { asObject, asString, OutputList, outputsAsJson } from './output';

/*
 * Widgets as a front end sees them (ipywidgets, "Low level widget protocol" 2.1, and "widget state" of the notebook
 * format). Only the Output widget has an effect here: it captures outputs. Of all others the state is stored.
 */

interface Widget {
  readonly state: JsonObject;
  /** Binary values, by the JSON text of their path in the state. */
  readonly buffers: Map<string, { path: JsonValue[]; data: Buffer }>;
  /** Only for an Output widget: the outputs that it captured. */
  readonly captured?: OutputList;
  /** Only for an Output widget: the request whose outputs it captures now. */
  capturing?: string;
}

/** All widgets of a kernel. */
export class WidgetStates {
  private readonly widgets = new Map<string, Widget>();
  /** Output widgets by the request whose outputs they capture. The last one captures them; the others enclose it. */
  private readonly captors = new Map<string, Widget[]>();
  private readonly toSync = new Set<string>();
  /** Ids of all comms so far, of widgets and others. */
  private readonly comms = new Set<string>();

  /** @param onChange Called when the result of {@link toMetadata} has changed. */
  constructor(private readonly onChange: () => void) {}

  /** Where the outputs of this request go instead of its cell; undefined if they go to the cell. */
  captorOf(requestId: string): OutputList | undefined {
    return this.captors.get(requestId)?.at(-1)?.captured;
  }

  open(content: JsonObject, buffers: readonly Buffer[]): void {
    const id = asString(content['comm_id']);
    const data = asObject(content['data']);
    const state = asObject(data['state']);
    this.comms.add(id);
    if (content['target_name'] !== 'jupyter.widget' || state['_model_module'] === undefined) return;
    const isOutput =
      state['_model_module'] === '@jupyter-widgets/output' && state['_model_name'] === 'OutputModel';
    const widget: Widget = {
      state: {},
      buffers: new Map(),
      ...(isOutput && {
        captured: new OutputList(() => {
          this.toSync.add(id);
          this.onChange();
        }),
      }),
    };
    this.widgets.set(id, widget);
    this.update(widget, data, buffers);
  }

  /** Handles a `comm_msg`. @returns whether its comm has been opened. */
  message(content: JsonObject, buffers: readonly Buffer[]): boolean {
    const id = asString(content['comm_id']);
    const widget = this.widgets.get(id);
    const data = asObject(content['data']);
    const method = data['method'];
    // An echo repeats an update from the front end. That front end is this one, and its state is newer by now.
    if (widget && (method === 'update' || (method === 'echo_update' && !widget.captured)))
      this.update(widget, data, buffers);
    return this.comms.has(id);
  }

  /** Handles a `comm_close`. @returns whether its comm has been opened. */
  close(content: JsonObject): boolean {
    const id = asString(content['comm_id']);
    const widget = this.widgets.get(id);
    if (widget) {
      this.capture(widget, '');
      this.widgets.delete(id);
      this.toSync.delete(id);
      this.onChange();
    }
    return this.comms.has(id);
  }

  /** Comm messages for the kernel with what its Output widgets captured since the last call. */
  takeUpdates(): JsonObject[] {
    const updates: JsonObject[] = [];
    for (const id of this.toSync) {
      const captured = this.widgets.get(id)?.captured;
      const outputs = captured ? outputsAsJson(captured) : [];
      updates.push({ comm_id: id, data: { method: 'update', state: { outputs }, buffer_paths: [] } });
    }
    this.toSync.clear();
    return updates;
  }

  /** Value for `metadata.widgets` (widget state, version 2); undefined if there are no widgets. */
  toMetadata(): JsonObject | undefined {
    if (this.widgets.size === 0) return undefined;
    const models: JsonObject = {};
    for (const [id, { state, buffers, captured }] of this.widgets) {
      models[id] = {
        model_name: state['_model_name'] ?? '',
        model_module: state['_model_module'] ?? '',
        model_module_version: state['_model_module_version'] ?? '',
        state: captured ? { ...state, outputs: outputsAsJson(captured) } : state,
        ...(buffers.size > 0 && {
          buffers: [...buffers.values()].map(({ path, data }) => ({
            encoding: 'base64',
            path,
            data: data.toString('base64'),
          })),
        }),
      };
    }
    return {
      'application/vnd.jupyter.widget-state+json': { version_major: 2, version_minor: 0, state: models },
    };
  }

  private update(widget: Widget, data: JsonObject, buffers: readonly Buffer[]): void {
    const state = asObject(data['state']);
    for (const [key, value] of Object.entries(state)) widget.state[key] = value;
    const paths = Array.isArray(data['buffer_paths']) ? data['buffer_paths'] : [];
    const replaced = new Set([...Object.keys(state), ...paths.map(firstKey)]);
    for (const [key, { path }] of widget.buffers)
      if (replaced.has(firstKey(path))) widget.buffers.delete(key);
    for (const [index, path] of paths.entries()) {
      const buffer = buffers[index];
      if (Array.isArray(path) && buffer) widget.buffers.set(JSON.stringify(path), { path, data: buffer });
    }
    if (widget.captured) {
      const outputs = state['outputs'];
      // Set by the kernel: append_stdout(), clearing by assignment …
      if (Array.isArray(outputs)) widget.captured.assign(outputs.filter(isJsonObject));
      if (typeof state['msg_id'] === 'string') this.capture(widget, state['msg_id']);
    }
    this.onChange();
  }

  private capture(widget: Widget, requestId: string): void {
    if (widget.capturing !== undefined) {
      const captors = this.captors.get(widget.capturing) ?? [];
      captors.splice(captors.lastIndexOf(widget), 1);
      if (captors.length === 0) this.captors.delete(widget.capturing);
    }
    delete widget.capturing;
    if (requestId === '') return;
    widget.capturing = requestId;
    this.captors.set(requestId, [...(this.captors.get(requestId) ?? []), widget]);
  }
}

function firstKey(path: JsonValue): string {
  return Array.isArray(path) ? asString(path[0]) : '';
}
