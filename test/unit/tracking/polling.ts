import assert from 'node:assert/strict';
import { ExecutionStore } from '../../../src/tracking/execution-store';
import { LOCAL_RATES, type PollRates } from '../../../src/tracking/poll-rates';
import { Poller } from '../../../src/tracking/poller';
import { FakeClock } from './fake-clock';
import { ScriptedService } from './scripted-service';

/** The pollers of a test, and what is around them. Its arrow functions may be taken out of it. */
export class Polling {
  readonly clock = new FakeClock();
  readonly store = new ExecutionStore();
  readonly log: string[] = [];
  readonly pollers: Poller[] = [];
  /** Names that somebody waits for. */
  awaited: string[] = [];

  constructor(readonly service = new ScriptedService()) {}

  /** A new poller of the service. By default its chance changes no rate. */
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

  /** How often the service was asked for a list. */
  readonly lists = (): number => this.service.requests.filter((request) => request.startsWith('list')).length;

  /** Creates an execution as a command does, which puts it into the store. */
  readonly create = (id: string): void => {
    this.store.apply(this.store.begin(), this.service, this.service.put(id));
  };

  /** Ends all pollers, of which nothing may be left. */
  end(): void {
    for (const poller of this.pollers) poller.dispose();
    assert.deepEqual(this.clock.waits(), [], 'no timer is left');
  }
}
