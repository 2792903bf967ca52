import * as vscode from 'vscode';
import { ServiceError } from '../../execution/errors';
import type { TrackingService } from '../../tracking/tracking-service';

/**
 * Tells once that services elsewhere do not accept the person's credentials, with the command that mends them, however
 * many services there are and however often they are asked. The services are asked again as soon as the person may have
 * signed in: when a terminal was closed or the window is looked at again.
 */
export function tellCredentialProblems(
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
