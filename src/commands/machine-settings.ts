import * as vscode from 'vscode';
import * as z from 'zod/mini';
import { secretPatterns } from '../views/secret-parameters';

const text = z.catch(z.optional(z.string()), undefined);

const SettingsSchema = z.object({
  dataDirectory: text,
  nodePath: text,
  maxConcurrentExecutions: z.catch(z.int().check(z.minimum(0)), 0),
  spareKernel: z.catch(z.boolean(), true),
  keepAwake: z.catch(z.boolean(), true),
  'retention.days': z.catch(z.number().check(z.minimum(0)), 30),
  'retention.gigabytes': z.catch(z.number().check(z.minimum(0)), 5),
  'google.keyFile': text,
  'google.quotaProject': text,
  'google.endpoints': z.catch(
    z.object({ notebooks: text, aiplatform: text, storage: text, cloudresourcemanager: text }),
    {},
  ),
});

/** The settings of machine scope: what they name is started or written to, so that no workspace may set them. */
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
  };
}

/** Reads them; a value of the wrong type is as good as none. */
export function machineSettings(): MachineSettings {
  const configuration = vscode.workspace.getConfiguration('notebookExecutions');
  const names = Object.keys(SettingsSchema.shape);
  const settings = SettingsSchema.parse(
    Object.fromEntries(names.map((name) => [name, configuration.get<unknown>(name)])),
  );
  const { maxConcurrentExecutions, spareKernel } = settings;
  return {
    dataDirectory: present(settings.dataDirectory),
    nodePath: present(settings.nodePath),
    service: {
      ...(maxConcurrentExecutions === 0 ? {} : { maxConcurrent: maxConcurrentExecutions }),
      spare: spareKernel,
      keepAwake: settings.keepAwake,
      retentionDays: settings['retention.days'],
      retentionBytes: settings['retention.gigabytes'] * 1024 ** 3,
      secretParameters: [...secretPatterns()],
    },
    google: {
      keyFile: present(settings['google.keyFile']),
      quotaProject: present(settings['google.quotaProject']),
      endpoints: settings['google.endpoints'],
    },
  };
}

/** An empty text is an absent setting. */
function present(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
