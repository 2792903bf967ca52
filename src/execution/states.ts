/**
 * States of an Execution, named as in the Notebooks API v1 (`projects.locations.executions`, enum `State`).
 */
export const STATES = [
  'STATE_UNSPECIFIED',
  'INITIALIZING',
  'QUEUED',
  'PREPARING',
  'RUNNING',
  'CANCELLING',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
] as const;

/** A state that this version knows. */
export type KnownState = (typeof STATES)[number];

/**
 * A state as a service reported it. A string outside {@link STATES} is kept and shown unchanged, never mapped by guess.
 */
export type State = KnownState | (string & {});

/**
 * States of Vertex AI jobs (`JobState`, without its prefix) that have no equivalent in an Execution; shown unchanged.
 */
export const VERTEX_STATES = ['PAUSED', 'UPDATING', 'PARTIALLY_SUCCEEDED'] as const;
type AnyState = KnownState | (typeof VERTEX_STATES)[number];

const TERMINAL: ReadonlySet<string> = new Set<AnyState>([
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
  'PARTIALLY_SUCCEEDED',
]);
const ACTIVE: ReadonlySet<string> = new Set<AnyState>([
  'INITIALIZING',
  'QUEUED',
  'PREPARING',
  'RUNNING',
  'CANCELLING',
  'PAUSED',
  'UPDATING',
]);

/** True for a state that is final for its attempt. */
export function isTerminal(state: State | undefined): boolean {
  return state !== undefined && TERMINAL.has(state);
}

/**
 * True for a state that is known to change by itself. An unspecified or unknown state is neither terminal nor active.
 */
export function isActive(state: State | undefined): boolean {
  return state !== undefined && ACTIVE.has(state);
}
