import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ServiceError } from '../execution/errors';
import { isExecutable, searchPath } from '../system/programs';
import { runCommand } from './own-commands';
import { Problem, type Remedy } from './problem';

/** The sentence for an error of a Google service (src/google/requests/error-translation.ts); undefined for an unknown reason. */
export function googleSentence({ reason, args, message }: ServiceError): string | undefined {
  const arg = (name: string): string => args[name] ?? '?';
  // Some errors do not contain the host of the request.
  const host = args['host'] ?? vscode.l10n.t('Google Cloud');
  switch (reason) {
    case 'credentialsMissing':
      return vscode.l10n.t('There are no Google Cloud credentials. Sign in with “{0}”.', arg('command'));
    case 'credentialsExpired':
      return vscode.l10n.t(
        'The Google Cloud credentials have expired. Sign in again with “{0}”.',
        arg('command'),
      );
    case 'credentialsRevoked':
      return vscode.l10n.t(
        'The Google Cloud credentials were revoked. Sign in again with “{0}”.',
        arg('command'),
      );
    case 'credentialsInvalid':
      return args['variable'] === undefined
        ? vscode.l10n.t('The key file {0} is not accepted by Google Cloud: {1}', arg('path'), arg('problem'))
        : vscode.l10n.t(
            'The credentials file {0}, which the environment variable {1} names, is not accepted by Google Cloud: {2}. Name another file in the settings.',
            arg('path'),
            args['variable'],
            arg('problem'),
          );
    case 'credentialsUnusable':
      return args['path'] === undefined
        ? vscode.l10n.t('The Google Cloud credentials cannot be used: {0}', arg('problem'))
        : vscode.l10n.t('The key file {0} cannot be used: {1}', arg('path'), arg('problem'));
    case 'quotaProjectMissing':
      return vscode.l10n.t(
        'The API {0} needs a quota project, and the Google Cloud credentials name none. Set one with “{1}”, or in the settings.',
        arg('service'),
        arg('command'),
      );
    case 'quotaProjectDenied':
      return vscode.l10n.t(
        'You are not allowed to use the quota project {0}: you need the role Service Usage Consumer in it. Or choose another quota project.',
        arg('project'),
      );
    case 'referenceNotFound':
      return vscode.l10n.t(
        'Google Cloud does not find something that the template names: {0}',
        arg('problem'),
      );
    case 'uploadIncomplete':
      return vscode.l10n.t('The upload of {0} to Cloud Storage was incomplete. Try again.', arg('uri'));
    case 'clockSkewed':
      return vscode.l10n.t(
        'The clock of this machine is wrong, so Google Cloud rejects its requests. Correct it and try again.',
      );
    case 'apiNotEnabled':
      return vscode.l10n.t('The API {0} is not enabled in the project {1}.', arg('service'), arg('project'));
    case 'billingDisabled':
      return vscode.l10n.t('Billing is disabled in the project {0}.', arg('project'));
    case 'actAsMissing':
      return args['serviceAccount'] === undefined
        ? vscode.l10n.t(
            'You are not allowed to run notebooks as this service account: you need the role Service Account User on it.',
          )
        : vscode.l10n.t(
            'You are not allowed to run notebooks as the service account {0}, or there is no such account: you need the role Service Account User on it.',
            args['serviceAccount'],
          );
    case 'projectNotFound':
      return vscode.l10n.t('There is no project {0}, or you have no access to it.', arg('project'));
    case 'bucketNotFound':
      return args['bucket'] === undefined
        ? vscode.l10n.t('The bucket does not exist.')
        : vscode.l10n.t('There is no bucket {0}.', args['bucket']);
    case 'bucketWrongRegion':
      return vscode.l10n.t('The bucket {0} is in another region than {1}.', arg('bucket'), arg('location'));
    case 'regionWithoutService':
      return vscode.l10n.t('The service is not offered in {0}.', arg('location'));
    case 'permissionDenied':
      return args['permission'] === undefined
        ? vscode.l10n.t('Google Cloud denied access: {0}', message)
        : args['role'] === undefined
          ? vscode.l10n.t('You do not have the permission {0}.', args['permission'])
          : vscode.l10n.t(
              'You do not have the permission {0} in the project {1}: you need the role {2}, for example.',
              args['permission'],
              arg('project'),
              args['role'],
            );
    case 'quotaExceeded':
      return vscode.l10n.t('A Google Cloud quota is used up: {0}', arg('quota'));
    case 'rateLimited':
      return vscode.l10n.t('Too many requests to Google Cloud. Try again later.');
    case 'objectNotFound':
      return vscode.l10n.t('{0} does not exist.', arg('uri'));
    case 'hostUnreachable':
      return vscode.l10n.t('{0} cannot be reached. Check your network connection.', host);
    case 'timedOut':
      return vscode.l10n.t('{0} did not answer in time.', host);
    case 'serviceUnavailable':
      return vscode.l10n.t('{0} is temporarily unavailable. Try again later.', args['service'] ?? host);
    case 'fieldRequired':
      return vscode.l10n.t('The template needs {0} for this service.', arg('field'));
    case 'logNotAvailable':
      return vscode.l10n.t(
        'The log of this execution cannot be shown here. It may be in the Google Cloud console.',
      );
    case 'cancelNotPossible':
      return vscode.l10n.t('Google Cloud cannot cancel this execution. Delete it to stop it.');
    default:
      return undefined;
  }
}

/** Whether the service refused something that the template sets. */
function isOfTemplate({ reason, args }: ServiceError): boolean {
  return reason === 'referenceNotFound' || /^(?:executionTemplate|runOptions)\./.test(args['field'] ?? '');
}

/** The setting that the user can change to resolve an error; undefined if there is none. */
function settingFor({ reason, args }: ServiceError): string | undefined {
  switch (reason) {
    case 'credentialsInvalid':
      return 'notebookExecutions.google.keyFile';
    case 'credentialsUnusable':
      // Without a command, a new login does not resolve the error.
      return args['command'] === undefined ? 'notebookExecutions.google.keyFile' : undefined;
    case 'quotaProjectMissing':
    case 'quotaProjectDenied':
      return 'notebookExecutions.google.quotaProject';
    case 'fieldInvalid':
      return args['field']?.startsWith('notebookExecutions.google.endpoints.') === true
        ? 'notebookExecutions.google.endpoints'
        : undefined;
    default:
      return undefined;
  }
}

/** Buttons that resolve an error of a Google service. */
export function googleRemedies(error: ServiceError): Remedy[] {
  const { command, url } = error.args;
  const setting = settingFor(error);
  return [
    ...(isOfTemplate(error)
      ? [
          {
            label: vscode.l10n.t('Edit Templates'),
            run: () => runCommand('notebookExecutions.editTemplates'),
          },
        ]
      : []),
    ...(setting === undefined
      ? []
      : [
          {
            label: vscode.l10n.t('Open Settings'),
            run: () => vscode.commands.executeCommand('workbench.action.openSettings', setting),
          },
        ]),
    ...(command === undefined
      ? []
      : [
          {
            label:
              error.reason === 'quotaProjectMissing'
                ? vscode.l10n.t('Set Quota Project')
                : vscode.l10n.t('Sign In'),
            run: () => signIn(command),
          },
        ]),
    ...(url === undefined
      ? []
      : [
          {
            label: vscode.l10n.t('Open Page'),
            run: () => vscode.env.openExternal(vscode.Uri.parse(url)),
          },
        ]),
  ];
}

/** Google's installation instructions for gcloud. */
const INSTALL_GCLOUD = 'https://cloud.google.com/sdk/docs/install';

/**
 * Signs in, or sets the quota project, with a command in a terminal.
 * @throws Problem if gcloud is not installed; its button opens the installation instructions.
 */
async function signIn(command: string): Promise<void> {
  const inTerminal = (): void => {
    // Not in the workspace: shells on Windows search the current directory for programs first.
    const terminal = vscode.window.createTerminal({
      name: vscode.l10n.t('Sign In to Google Cloud'),
      cwd: os.homedir(),
    });
    terminal.show();
    terminal.sendText(command);
  };
  if (!command.startsWith('gcloud ') || (await isGcloudInstalled())) {
    inTerminal();
    return;
  }
  throw new Problem(
    vscode.l10n.t(
      'The program gcloud was not found on this machine. Install the Google Cloud CLI, then sign in with “{0}”.',
      command,
    ),
    [
      {
        label: vscode.l10n.t('Open Installation Page'),
        run: () => vscode.env.openExternal(vscode.Uri.parse(INSTALL_GCLOUD)),
      },
      // The shell's PATH may contain gcloud even if the editor's does not.
      { label: vscode.l10n.t('Try in Terminal'), run: inTerminal },
    ],
  );
}

/** Whether gcloud is on the PATH. On Windows gcloud is a batch file. */
async function isGcloudInstalled(): Promise<boolean> {
  const name = process.platform === 'win32' ? 'gcloud.cmd' : 'gcloud';
  const found = searchPath(process.env).map((folder) => isExecutable(path.join(folder, name)));
  return (await Promise.all(found)).includes(true);
}
