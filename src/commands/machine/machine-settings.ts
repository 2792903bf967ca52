import * as vscode from 'vscode';
import { secretPatterns } from '../../wording/names';

/** The APIs whose endpoint can be set, for example for Private Service Connect. */
const ENDPOINTS = ['notebooks', 'aiplatform', 'storage', 'cloudresourcemanager', 'logging'];

/** Settings of machine scope. They name programs to start and folders to write, so a workspace must not set them. */
export interface MachineSettings {
  readonly dataDirectory: string | undefined;
  readonly nodePath: string | undefined;
  /** For the embedded service's config.json. */
  readonly service: {
    readonly maxConcurrent?: number;
    readonly spare: boolean;
    readonly keepAwake: boolean;
    readonly retentionDays: number;
    readonly retentionBytes: number;
    readonly secretParameters: string[];
  };
  readonly google: {
    readonly keyFile: string | undefined;
    readonly quotaProject: string | undefined;
    readonly endpoints: Readonly<Record<string, string | undefined>>;
    readonly secretParameters: () => readonly string[];
  };
}

/** Reads the settings. A value of the wrong type is treated as missing. */
export function machineSettings(): MachineSettings {
  const configuration = vscode.workspace.getConfiguration('notebookExecutions');
  /** An empty text is treated as missing. */
  const text = (name: string): string | undefined => {
    const value = configuration.get<unknown>(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const flag = (name: string): boolean => configuration.get<unknown>(name) !== false;
  const count = (name: string, otherwise: number): number => {
    const value = configuration.get<unknown>(name);
    return typeof value === 'number' && value >= 0 ? value : otherwise;
  };
  const maxConcurrent = Math.floor(count('maxConcurrentExecutions', 0));
  return {
    dataDirectory: text('dataDirectory'),
    nodePath: text('nodePath'),
    service: {
      ...(maxConcurrent === 0 ? {} : { maxConcurrent }),
      spare: flag('spareKernel'),
      keepAwake: flag('keepAwake'),
      retentionDays: count('retention.days', 30),
      retentionBytes: count('retention.gigabytes', 5) * 1024 ** 3,
      secretParameters: [...secretPatterns()],
    },
    google: {
      keyFile: text('google.keyFile'),
      quotaProject: text('google.quotaProject'),
      endpoints: Object.fromEntries(
        ENDPOINTS.flatMap((api) => {
          const address = text(`google.endpoints.${api}`);
          return address === undefined ? [] : [[api, address]];
        }),
      ),
      secretParameters: secretPatterns,
    },
  };
}
