import type { Execution } from '../execution/execution';
import type { GoogleServiceKind } from '../execution/templates/template';

const CONSOLE = 'https://console.cloud.google.com';

/** The custom job in a `jobUri`, which may or may not include scheme and host. */
const CUSTOM_JOB = /projects\/([^/]+)\/locations\/([^/]+)\/customJobs\/([^/?#]+)/;

/** The parts of a Vertex AI custom job's name; undefined if the URI names none (Dataproc). */
export function customJobOf(
  jobUri: string | undefined,
): { name: string; location: string; id: string } | undefined {
  const [name, , location, id] = CUSTOM_JOB.exec(jobUri ?? '') ?? [];
  return name === undefined || location === undefined || id === undefined
    ? undefined
    : { name, location, id };
}

/** The console's page of an execution: that of its job if it is known, else the list of executions. */
export function consoleUrl(
  kind: GoogleServiceKind,
  project: string,
  location: string,
  execution: Execution,
): string {
  const query = `?project=${encodeURIComponent(project)}`;
  if (kind === 'vertex')
    return `${CONSOLE}/vertex-ai/colab/execution-jobs${query}&region=${encodeURIComponent(location)}`;
  const job = customJobOf(execution.jobUri);
  return job === undefined
    ? `${CONSOLE}/vertex-ai/workbench/executions${query}`
    : `${CONSOLE}/vertex-ai/locations/${job.location}/training/${job.id}${query}`;
}
