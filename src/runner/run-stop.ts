import type { EndMessage } from '../execution/end-message';
import { deferred } from '../system/deferred';
import { stateAfter, type Ending, type StopReason } from './ending';

/** The request to stop a run before its end. Only the first one counts. */
export class RunStop {
  private readonly first = deferred<StopReason>();
  private message: Partial<EndMessage> = {};
  /** Undefined while the run is not to stop. */
  reason: StopReason | undefined;

  /** Resolves with the reason when the run is to stop. */
  get requested(): Promise<StopReason> {
    return this.first.promise;
  }

  /** @returns false if the run is already to stop, for another reason. */
  request(reason: StopReason, message: Partial<EndMessage> = {}): boolean {
    if (this.reason !== undefined) return false;
    this.reason = reason;
    this.message = message;
    this.first.resolve(reason);
    return true;
  }

  /** How the run ends because of the request; undefined if there is none. */
  ending(): Ending | undefined {
    const { reason, message } = this;
    return reason && { state: stateAfter(reason), cause: reason, ...message };
  }
}
