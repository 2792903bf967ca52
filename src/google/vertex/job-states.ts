import type { State } from '../../execution/states';

/** `JobState` of the Vertex AI API v1, discovery revision 20261106. */
const JOB_STATES = {
  JOB_STATE_UNSPECIFIED: 'STATE_UNSPECIFIED',
  JOB_STATE_QUEUED: 'QUEUED',
  JOB_STATE_PENDING: 'PREPARING',
  JOB_STATE_RUNNING: 'RUNNING',
  JOB_STATE_SUCCEEDED: 'SUCCEEDED',
  JOB_STATE_FAILED: 'FAILED',
  JOB_STATE_CANCELLING: 'CANCELLING',
  JOB_STATE_CANCELLED: 'CANCELLED',
  JOB_STATE_PAUSED: 'PAUSED',
  JOB_STATE_EXPIRED: 'EXPIRED',
  JOB_STATE_UPDATING: 'UPDATING',
  JOB_STATE_PARTIALLY_SUCCEEDED: 'PARTIALLY_SUCCEEDED',
} as const satisfies Record<string, State>;

/** The execution state for a job state. An unknown state is returned unchanged. */
export function stateOfJob(jobState: string | undefined): State {
  if (jobState === undefined) return 'STATE_UNSPECIFIED';
  return Object.hasOwn(JOB_STATES, jobState) ? JOB_STATES[jobState as keyof typeof JOB_STATES] : jobState;
}
