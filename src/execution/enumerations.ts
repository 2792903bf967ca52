/*
 * Enumerations of the Notebooks API v1 with their numbers (google/cloud/notebooks/v1/execution.proto). Proto3 JSON
 * allows names and numbers in requests, and clients may ask for numbers in answers.
 */

/** Names of an enumeration's values with their numbers. */
export type Enumeration = Readonly<Record<string, number>>;

export const STATE_NUMBERS = {
  STATE_UNSPECIFIED: 0,
  QUEUED: 1,
  PREPARING: 2,
  RUNNING: 3,
  SUCCEEDED: 4,
  FAILED: 5,
  CANCELLING: 6,
  CANCELLED: 7,
  EXPIRED: 9,
  INITIALIZING: 10,
} as const satisfies Enumeration;

/** States of a schedule (google/cloud/notebooks/v1/schedule.proto). */
export const SCHEDULE_STATE_NUMBERS = {
  STATE_UNSPECIFIED: 0,
  ENABLED: 1,
  PAUSED: 2,
  DISABLED: 3,
  UPDATE_FAILED: 4,
  INITIALIZING: 5,
  DELETING: 6,
} as const satisfies Enumeration;

export const SCALE_TIERS = {
  SCALE_TIER_UNSPECIFIED: 0,
  BASIC: 1,
  STANDARD_1: 2,
  PREMIUM_1: 3,
  BASIC_GPU: 4,
  BASIC_TPU: 5,
  CUSTOM: 6,
} as const satisfies Enumeration;

export const JOB_TYPES = {
  JOB_TYPE_UNSPECIFIED: 0,
  VERTEX_AI: 1,
  DATAPROC: 2,
} as const satisfies Enumeration;

export const ACCELERATOR_TYPES = {
  SCHEDULER_ACCELERATOR_TYPE_UNSPECIFIED: 0,
  NVIDIA_TESLA_K80: 1,
  NVIDIA_TESLA_P100: 2,
  NVIDIA_TESLA_V100: 3,
  NVIDIA_TESLA_P4: 4,
  NVIDIA_TESLA_T4: 5,
  NVIDIA_TESLA_A100: 10,
  TPU_V2: 6,
  TPU_V3: 7,
} as const satisfies Enumeration;

/** The name of a value that is given as its name or its number; undefined if the enumeration has no such value. */
export function enumName(values: Enumeration, value: unknown): string | undefined {
  if (typeof value === 'string') return Object.hasOwn(values, value) ? value : undefined;
  return Object.keys(values).find((name) => values[name] === value);
}
