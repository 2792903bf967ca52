import * as z from 'zod/mini';

const text = z.optional(z.string());
const flag = z.optional(z.boolean());

/**
 * The fields of a NotebookExecutionJob that this client reads (Vertex AI API v1, discovery revision 20261106). Others
 * are kept, to name them. `workbenchRuntime` is only sent: the service does not return it.
 */
export const JobSchema = z.looseObject({
  name: z.string(),
  displayName: text,
  jobState: text,
  createTime: text,
  updateTime: text,
  executionTimeout: text,
  executionUser: text,
  serviceAccount: text,
  kernelName: text,
  gcsOutputUri: text,
  scheduleResourceName: text,
  notebookRuntimeTemplateResourceName: text,
  labels: z.optional(z.record(z.string(), z.string())),
  gcsNotebookSource: z.optional(z.looseObject({ uri: text, generation: text })),
  directNotebookSource: z.optional(z.looseObject({ content: text })),
  dataformRepositorySource: z.optional(
    z.looseObject({ dataformRepositoryResourceName: text, commitSha: text }),
  ),
  encryptionSpec: z.optional(z.looseObject({ kmsKeyName: text })),
  status: z.optional(z.object({ code: z.optional(z.number()), message: text })),
  customEnvironmentSpec: z.optional(
    z.looseObject({
      machineSpec: z.optional(
        z.looseObject({
          machineType: text,
          acceleratorType: text,
          acceleratorCount: z.optional(z.union([z.number(), z.string()])),
          gpuPartitionSize: text,
          tpuTopology: text,
          reservationAffinity: z.optional(
            z.looseObject({
              reservationAffinityType: text,
              key: text,
              values: z.optional(z.array(z.string())),
            }),
          ),
        }),
      ),
      persistentDiskSpec: z.optional(z.looseObject({ diskType: text, diskSizeGb: text })),
      networkSpec: z.optional(z.looseObject({ network: text, subnetwork: text, enableInternetAccess: flag })),
      shieldedInstanceConfig: z.optional(
        z.looseObject({ enableSecureBoot: flag, enableVtpm: flag, enableIntegrityMonitoring: flag }),
      ),
    }),
  ),
});
export type NotebookExecutionJob = z.infer<typeof JobSchema>;
