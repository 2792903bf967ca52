import * as z from 'zod/mini';
import { RunStatusSchema } from '../execution/execution';

/** How to start a kernel: a resolved kernelspec (Jupyter client documentation, "Kernel specs"). */
export const KernelLaunchSchema = z.object({
  name: z.string(),
  displayName: z.string(),
  language: z.string(),
  /**
   * Command line with `{connection_file}` and `{resource_dir}` as placeholders. argv[0] is absolute or on `env`'s PATH.
   */
  argv: z.array(z.string()),
  /** Directory of the kernelspec, for `{resource_dir}`. */
  resourceDir: z.optional(z.string()),
  interruptMode: z.enum(['signal', 'message']),
  /** `metadata.supported_encryption` of the kernelspec: `curve` for CurveZMQ keys (ipykernel 7.4 and later). */
  supportedEncryption: z.optional(z.array(z.string())),
  /** Complete environment of the kernel process. */
  env: z.record(z.string(), z.string()),
});
export type KernelLaunch = z.infer<typeof KernelLaunchSchema>;

/** One attempt of one execution. Times are seconds, paths absolute. */
export const RunnerJobSchema = z.object({
  version: z.literal(1),
  /** Resource name of the execution. */
  name: z.string(),
  attempt: z.number(),
  /** The execution's folder. If it was moved since, the runner uses the folder that contains the job. */
  folder: z.string(),
  kernel: KernelLaunchSchema,
  workingDirectory: z.string(),
  /** Parameters as JSON text (numbers keep their spelling); absent if there are none. */
  parameters: z.optional(z.string()),
  /** For `metadata.papermill.input_path` and `output_path`. */
  inputPath: z.string(),
  outputPath: z.string(),
  timeout: z.optional(z.number()),
  cellTimeout: z.optional(z.number()),
  kernelTimeout: z.number(),
  allowErrors: z.boolean(),
  allowErrorNames: z.array(z.string()),
  memoryLimitBytes: z.optional(z.number()),
  /** Patterns of names whose values the notebook's metadata do not show, see execution/secrets/secret-names.ts. */
  secretParameters: z.optional(z.array(z.string())),
});
export type RunnerJob = z.infer<typeof RunnerJobSchema>;

/** A runner's report on its attempt: `status.json`, also sent over the control connection after each change. */
export const RunnerStatusSchema = z.object({
  version: z.literal(1),
  attempt: z.number(),
  /** PREPARING, RUNNING, CANCELLING or a terminal state. */
  state: z.string(),
  /** `history` begins with PREPARING; the service puts its own states before it. */
  runStatus: RunStatusSchema,
  /** Used to end the kernel of a dead runner, and only that process: id, and start time as the system reports it. */
  kernelProcess: z.optional(z.object({ pid: z.number(), startTime: z.string() })),
});
export type RunnerStatus = z.infer<typeof RunnerStatusSchema>;

/*
 * The control connection. A runner listens on one local socket (Windows: named pipe) from its start to its exit. While
 * it accepts connections it is alive, which is safer than a process id that may be reused. Messages are JSON lines.
 *
 *   runner.js --runtime DIR --job FILE      run this job
 *   runner.js --runtime DIR                 pooled: wait for `run`, perhaps after `prepare`; then wait for the next, or
 *                                           exit. Exit when no client is connected and there is no job
 */

/** Service to runner. */
export const ControlRequestSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('cancel') }),
  /** Pooled runner: start a spare kernel. */
  z.object({
    type: z.literal('prepare'),
    kernel: KernelLaunchSchema,
    workingDirectory: z.string(),
    /** File for the kernel's stdout and stderr, on the file system of the executions' folders: `run` moves it there. */
    kernelLog: z.string(),
  }),
  /** Pooled runner: run this job.json on the spare kernel if there is one, else on a new one. */
  z.object({
    type: z.literal('run'),
    job: z.string(),
    /**
     * Kernels of jobs with the same name here may be forked from one process, see fork-server.ts: they start alike, and
     * nothing that they load has changed since. Absent: the kernel must be started.
     */
    forkServer: z.optional(z.string()),
  }),
]);
export type ControlRequest = z.infer<typeof ControlRequestSchema>;

/** Runner to service. The first line after connecting is the latest event. */
export const ControlEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('status'), status: RunnerStatusSchema }),
  /** Pooled runner: the spare kernel has answered. */
  z.object({ type: z.literal('ready') }),
  /** Pooled runner: its job has ended. `isFree`: it waits for another one. */
  z.object({ type: z.literal('ended'), isFree: z.boolean() }),
]);
export type ControlEvent = z.infer<typeof ControlEventSchema>;
