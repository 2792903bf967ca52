import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createGoogle, parseUnseenRecord, type Google, type GoogleOptions } from '../../../src/google/index';
import { systemRequestClock, type RequestClock } from '../../../src/google/requests/request-sender';
import { RecordFolder } from '../../../src/tracking/record-folder';
import type { Run } from './job-run';
import { LoggingDouble } from './logging-double';
import { NotebooksDouble } from './notebooks-double';
import { ResourceManagerDouble } from './resource-manager-double';
import { runNotebook } from './run-notebook';
import { StorageDouble } from './storage-double';
import { TokenDouble } from './token-double';
import { VertexDouble } from './vertex-double';

export const PROJECT = 'my-project';
export const LOCATION = 'us-central1';
/** An existing bucket. */
export const BUCKET = 'notebook-bucket';

/** A clock that records waits and shortens them, with a constant instead of random numbers. */
export class QuickClock implements RequestClock {
  readonly waits: number[] = [];
  now = (): number => Date.now();
  random = (): number => 0;
  sleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
    this.waits.push(milliseconds);
    await systemRequestClock.sleep(Math.min(milliseconds, 20), signal);
  };
}

/** A template of this cloud as in the user's setting. @param folder for outputs, in the bucket */
export function cloudTemplate(folder: string) {
  return {
    name: 'Cloud',
    service: 'vertex',
    project: PROJECT,
    location: LOCATION,
    executionTemplate: {
      masterType: 'n1-standard-4',
      serviceAccount: 'runner@my-project.iam.gserviceaccount.com',
      outputNotebookFolder: `gs://${BUCKET}/${folder}`,
    },
  };
}

/** Google Cloud on loopback: Notebooks API, Vertex AI, Cloud Storage, Cloud Logging, tokens, Resource Manager. */
export class CloudDouble {
  readonly tokens = new TokenDouble();
  readonly storage = new StorageDouble(this.tokens);
  readonly vertex: VertexDouble;
  readonly notebooks: NotebooksDouble;
  readonly projects = new ResourceManagerDouble(this.tokens);
  readonly logging = new LoggingDouble(this.tokens);
  readonly clock = new QuickClock();
  /** Path of a service account's key file. */
  keyFile = '';
  folder = '';

  constructor(run: Run = runNotebook) {
    this.vertex = new VertexDouble(this.tokens, this.storage, this.logging, run);
    this.notebooks = new NotebooksDouble(this.tokens, this.storage, this.logging, this.vertex, run);
  }

  async start(): Promise<void> {
    this.folder = await mkdtemp(path.join(tmpdir(), 'nbx-cloud-'));
    this.keyFile = path.join(this.folder, 'key.json');
    await writeFile(this.keyFile, this.tokens.serviceAccountKey(), { mode: 0o600 });
    await Promise.all([
      this.tokens.start(),
      this.storage.start(),
      this.vertex.start(),
      this.notebooks.start(),
      this.projects.start(),
      this.logging.start(),
    ]);
    await this.storage.createBucket(BUCKET);
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.vertex.jobs.values(), ...this.notebooks.executions.values()].map(({ run }) => {
        run.cancel();
        return run.ended;
      }),
    );
    this.tokens.stop();
    this.vertex.stop();
    this.notebooks.stop();
    this.projects.stop();
    this.logging.stop();
    await this.storage.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The product's Google module, connected to these doubles. */
  google(options: Partial<GoogleOptions> = {}): Google {
    return createGoogle({
      keyFile: this.keyFile,
      fetch: this.tokens.fetch,
      clock: this.clock,
      endpoints: this.endpoints,
      unseen: new RecordFolder(path.join(this.folder, 'unseen'), parseUnseenRecord),
      ...options,
    });
  }

  get endpoints(): NonNullable<GoogleOptions['endpoints']> {
    return {
      notebooks: this.notebooks.endpoint,
      aiplatform: this.vertex.endpoint,
      storage: this.storage.endpoint,
      cloudresourcemanager: this.projects.endpoint,
      logging: this.logging.endpoint,
    };
  }

  /** Invalid requests and responses of all services. */
  get problems(): string[] {
    const { tokens, storage, vertex, notebooks, projects, logging } = this;
    return [tokens, storage, vertex, notebooks, projects, logging].flatMap(({ problems }) => problems);
  }
}
