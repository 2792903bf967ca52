import type { ExecutionService } from '../../../src/execution/execution-service';
import type { GoogleServiceKind } from '../../../src/execution/templates/template';
import { ExecutionStore } from '../../../src/tracking/execution-store';
import { REMOTE_RATES } from '../../../src/tracking/poll-rates';
import { Poller } from '../../../src/tracking/poller';
import { FakeClock, settle } from '../../unit/tracking/fake-clock';
import { python } from '../contract-words';
import { until } from '../until';
import { BUCKET, CloudDouble, LOCATION, PROJECT } from './cloud';

const HOUR = 3_600_000;
const INPUT = `gs://${BUCKET}/theirs/in.ipynb`;

/** A cloud in which every execution runs until it is cancelled. */
export function busyCloud(): CloudDouble {
  return new CloudDouble(
    (_, { signal }) =>
      new Promise((resolve) => {
        const end = (): void => {
          resolve({ state: 'CANCELLED', message: undefined, output: undefined });
        };
        if (signal.aborted) end();
        else signal.addEventListener('abort', end);
      }),
  );
}

/** Adds active executions until there are so many, and waits until all of them run. */
export async function fill(cloud: CloudDouble, kind: GoogleServiceKind, count: number): Promise<void> {
  const known = kind === 'vertex' ? cloud.vertex.jobs : cloud.notebooks.executions;
  await cloud.storage.put(INPUT, Buffer.from(python('1')));
  while (known.size < count) {
    const id = `job-${String(known.size)}`;
    if (kind === 'vertex') {
      const gcsOutputUri = `gs://${BUCKET}/runs`;
      cloud.vertex.addElsewhere(id, { displayName: id, gcsOutputUri, gcsNotebookSource: { uri: INPUT } });
    } else {
      const folders = { inputNotebookFile: INPUT, outputNotebookFolder: `gs://${BUCKET}/runs` };
      cloud.notebooks.addElsewhere(id, { executionTemplate: { scaleTier: 'CUSTOM', ...folders } });
    }
  }
  // A change of state is asked for again sooner, so none may happen while requests are counted.
  await until('all of them run', () => [...known.values()].every(({ run }) => run.state === 'RUNNING'));
}

/**
 * Requests to Google in an hour of a clock that runs as fast as the answers come.
 * @param watched whether the list of executions is visible
 */
export async function requestsInAnHour(
  cloud: CloudDouble,
  kind: GoogleServiceKind,
  watched: boolean,
): Promise<number> {
  const clock = new FakeClock();
  let asking = 0;
  const google = cloud.google().service(kind, PROJECT, LOCATION);
  const service: ExecutionService = Object.assign(Object.create(google) as typeof google, {
    list: async (...args: Parameters<ExecutionService['list']>) => {
      asking += 1;
      return google.list(...args).finally(() => (asking -= 1));
    },
  });
  const doubles = [cloud.vertex, cloud.notebooks, cloud.storage, cloud.logging];
  for (const { requests } of doubles) requests.length = 0;
  const poller = new Poller({
    service,
    store: new ExecutionStore(),
    clock,
    rates: REMOTE_RATES,
    random: () => 0.5,
    awaited: () => [],
    gone: () => undefined,
    log: (line) => {
      throw new Error(line);
    },
  });
  poller.setWatched(true);
  const end = clock.now() + HOUR;
  await poller.refresh();
  poller.setWatched(watched);
  while (clock.now() < end) {
    await clock.advance(Math.min(clock.waits()[0] ?? HOUR, end - clock.now()));
    await until('the answer is there', () => asking === 0);
    await settle();
  }
  poller.dispose();
  return doubles.reduce((sum, { requests }) => sum + requests.length, 0);
}
