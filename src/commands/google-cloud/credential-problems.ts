import * as vscode from 'vscode';
import { ServiceError } from '../../execution/errors';
import type { TrackingService } from '../../tracking/tracking-service';

/**
 * Reports once that cloud services reject the user's credentials, with the command that fixes them, no matter how many
 * services there are and how often they are polled. The services are polled again as soon as the user may have signed
 * in: when a terminal was closed or the window receives focus.
 */
export function notifyCredentialProblems(
  tracking: TrackingService,
  tell: (error: ServiceError) => void,
): vscode.Disposable {
  const refused = new Set<string>();
  const askAgain = (): void => {
    for (const id of refused) tracking.poke(id);
  };
  return vscode.Disposable.from(
    tracking.store.onDidChangeService(({ service, error }) => {
      const known = tracking.store.status(service.id) !== undefined;
      if (known && error instanceof ServiceError && error.status === 'UNAUTHENTICATED') {
        const first = refused.size === 0;
        refused.add(service.id);
        if (first) tell(error);
      } else if (error === undefined || !known) {
        refused.delete(service.id);
      }
    }),
    vscode.window.onDidCloseTerminal(askAgain),
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (focused) askAgain();
    }),
  );
}
