import type { ExecutionRequest } from '../../execution/execution';
import { ServiceError } from '../../execution/errors';
import type { OutputDocument } from '../../execution/execution-service';
import type { GoogleServiceKind } from '../../execution/templates/template';
import type { CloudStorageClient } from '../storage/cloud-storage-client';
import { formatGsUri, parseGsUri } from '../storage/gs-uri';

/** A notebook that is executed in place of the submitted one: in Cloud Storage, or in a Dataform repository. */
export type OtherSource = ObjectSource | DataformSource;
interface ObjectSource {
  readonly uri: string;
  readonly generation?: string;
}
interface DataformSource {
  readonly repository: string;
  readonly commit?: string | undefined;
}

/** The notebook that a request names in place of the submitted one, as it names it. */
export function otherSourceOf(
  kind: GoogleServiceKind,
  { executionTemplate, runOptions }: ExecutionRequest,
): OtherSource | undefined {
  // The Notebooks API knows neither.
  const { dataform, inputGeneration } = (kind === 'vertex' ? runOptions?.vertex : undefined) ?? {};
  if (dataform?.repository !== undefined) return { repository: dataform.repository, commit: dataform.commit };

  const uri = executionTemplate?.inputNotebookFile;
  if (uri?.startsWith('gs://') !== true) return undefined;
  return { uri, ...(inputGeneration === undefined ? {} : { generation: inputGeneration }) };
}

/**
 * The object of a source in Cloud Storage, and the source with the generation that the object has now: later changes
 * of the object must not change what runs.
 * @throws ServiceError `objectNotFound` {uri, field}, `bucketNotFound`
 */
export async function pinnedSource(
  source: ObjectSource,
  storage: CloudStorageClient,
  signal?: AbortSignal,
): Promise<{ source: OtherSource; document: OutputDocument }> {
  const field = 'executionTemplate.inputNotebookFile';
  const place = parseGsUri(source.uri);
  if (place === undefined) {
    const problem = `${source.uri} is no gs:// URI`;
    throw new ServiceError('INVALID_ARGUMENT', 'fieldInvalid', `${field}: ${problem}`, { field, problem });
  }
  const object = await storage.stat(place, signal, source.generation);
  if (object === undefined) {
    const uri = source.generation === undefined ? source.uri : `${source.uri}#${source.generation}`;
    throw new ServiceError('NOT_FOUND', 'objectNotFound', `${uri} does not exist`, { uri, field });
  }
  const generation = source.generation ?? object.generation;
  return {
    source: { uri: formatGsUri(place), ...(generation === undefined ? {} : { generation }) },
    document: storage.document(place, object),
  };
}
