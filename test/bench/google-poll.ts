import { busyCloud, fill, requestsInAnHour } from '../support/google/poll-hour';

/** The name of this measurement among the cases. */
export const GOOGLE_POLL = 'google-poll';

/**
 * Prints how many requests a window sends to Google in an hour while executions are active, counted at doubles of
 * Google's services with a clock that does not wait.
 */
export async function printGooglePoll(): Promise<void> {
  console.log('| active executions | service | requests in an hour, list hidden | list visible |');
  console.log('|---|---|---|---|');
  for (const kind of ['vertex', 'notebooks'] as const) {
    const cloud = busyCloud();
    await cloud.start();
    try {
      for (const count of [1, 100]) {
        await fill(cloud, kind, count);
        const hidden = await requestsInAnHour(cloud, kind, false);
        const visible = await requestsInAnHour(cloud, kind, true);
        console.log(`| ${String(count)} | ${kind} | ${String(hidden)} | ${String(visible)} |`);
      }
    } finally {
      await cloud.stop();
    }
  }
}
