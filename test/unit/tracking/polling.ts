import assert from 'node:assert/strict';
import { ExecutionStore } from '../../../src/tracking/execution-store';
import { LOCAL_RATES, type PollRates } from '../../../src/tracking/poll-rates';
import { Poller } from '../../../src/tracking/poller';
import { FakeClock } from './fake-clock';
import { ScriptedService } from './scripted-service';

/** The pollers of a test with their environment. Its arrow functions may be destructured. */
export class Polling {
  readonly clock = new FakeClock();
  readonly store = new ExecutionStore();
  readonly log: string[] = [];
  readonly pollers: Poller[] = [];
  /** Names that a command waits for. */
  awaited: string[] = [];

  constructor(readonly service = new ScriptedService()) {}

  /** A new poller of the service. By default without jitter. */
  readonly start = (rates: PollRates = LOCAL_RATES, random = () => 0.5): Poller => {
    const poller = new Poller({
      service: this.service,
      store: this.store,
      clock: this.clock,
      rates,
      random,
      awaited: () => this.awaited,
      gone: (name) => {
        this.awaited = this.awaited.filter((other) => other !== name);
      },
      log: (line) => this.log.push(line),
    });
    this.pollers.push(poller);
    return poller;
  };

  /** Number of list requests. */
  readonly lists = (): number => this.service.requests.filter((request) => request.startsWith('list')).length;

  /** Creates an execution like a command, which adds it to the store. */
  readonly create = (id: string): void => {
    this.store.apply(this.store.begin(), this.service, this.service.put(id));
  };

  /** Disposes of all pollers, after which no timer may remain. */
  end(): void {
    for (const poller of this.pollers) poller.dispose();
    assert.deepEqual(this.clock.waits(), [], 'no timer is left');
  }
}
