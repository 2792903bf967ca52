import assert from 'node:assert/strict';
import type { ExecutionRequest } from '../../../src/execution/execution';
import type { GoogleExecutionService } from '../../../src/google/google-execution-service';
import { BUCKET, CloudDouble, LOCATION, PROJECT, QuickClock } from '../../support/google/cloud';
import type { RunResult } from '../../support/google/run-notebook';
import { notebookOf } from './support';

/** How a run proceeds, replacing a kernel when the notebook does not matter. */
type Outcome = (input: Buffer, signal: AbortSignal) => Promise<RunResult>;

/** The output is the notebook. */
export const echo: Outcome = (input) =>
  Promise.resolve({ state: 'SUCCEEDED', message: undefined, output: input });
/** Runs until it is cancelled. */
export const endless: Outcome = (input, signal) =>
  new Promise((resolve) => {
    const end = (): void => {
      resolve({ state: 'CANCELLED', message: undefined, output: input });
    };
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
  });

export const NOTEBOOK = notebookOf('print(1)');
export const OUTPUT_FOLDER = `gs://${BUCKET}/runs`;

let ids = 0;
/** An execution id that was not used before. */
export const nextId = (): string => `run-${String((ids += 1))}`;

/** A request that both services accept; the Notebooks API requires an image. */
export function requestOf(template: ExecutionRequest['executionTemplate'] = {}): ExecutionRequest {
  return {
    executionTemplate: {
      masterType: 'n1-standard-4',
      containerImageUri: 'gcr.io/deeplearning-platform-release/base-cpu',
      serviceAccount: 'runner@my-project.iam.gserviceaccount.com',
      outputNotebookFolder: OUTPUT_FOLDER,
      ...template,
    },
    runOptions: { source: 'file:///home/me/My%20Sales.ipynb', templateName: 'Big' },
  };
}

/** A clock that the test advances. */
export class MovableClock extends QuickClock {
  /** Milliseconds. */
  passed = 0;
  override now = (): number => Date.now() + this.passed;
}

/** A promise that the test resolves. */
export function moment(): { readonly reached: Promise<void>; readonly reach: () => void } {
  let reach = (): void => undefined;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  return {
    reached,
    reach: () => {
      reach();
    },
  };
}

/** A double of Google Cloud whose runs follow the test. */
export class QuickCloud extends CloudDouble {
  /** {@link echo} at the beginning of each test. */
  outcome: Outcome = echo;

  constructor() {
    super((input, { signal }) => this.outcome(input, signal));
  }

  /** The services as our client sees them. */
  service(kind: 'vertex' | 'notebooks'): GoogleExecutionService {
    return this.google().service(kind, PROJECT, LOCATION);
  }
}

/** The hooks of a suite: starts a cloud, which must have reported no problem after each test. */
export function suiteOfCloud(): QuickCloud {
  const cloud = new QuickCloud();
  before(() => cloud.start());
  after(() => cloud.stop());
  beforeEach(() => {
    cloud.outcome = echo;
    for (const double of [cloud.vertex, cloud.notebooks, cloud.storage, cloud.logging])
      double.requests.length = 0;
  });
  afterEach(() => {
    assert.deepEqual(cloud.problems, []);
    assert.deepEqual(
      [cloud.vertex, cloud.notebooks, cloud.storage].map(({ faults }) => faults.pending),
      [0, 0, 0],
    );
  });
  return cloud;
}
