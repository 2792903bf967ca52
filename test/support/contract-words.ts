import assert from 'node:assert/strict';
import { ServiceError, type StatusName } from '../../src/execution/errors';
import type { Execution, ExecutionRequest } from '../../src/execution/execution';
import type { Capabilities, ExecutionService, OutputDocument } from '../../src/execution/execution-service';
import { isTerminal } from '../../src/execution/states';
import { until } from './until';

/* Helpers of the contract suites. */

/** Allowed deviations of a service from the contract. Any other deviation is a bug, not a reason for a new entry. */
export interface Differences {
  /** `cancel` may reject with `cancelNotPossible`; deleting the execution then ends it. */
  readonly cancelMayFail: boolean;
  /** `runStatus.history` contains only states that polling has seen; short ones may be missing. */
  readonly sampledHistory: boolean;
  /** `runStatus` has no `progress`, `kernel` or `host`; only the output shows which cell failed. */
  readonly opaqueRun: boolean;
  /** Responses contain only those fields of the request that the service supports. */
  readonly partialEcho: boolean;
}

/** A service to test against the contract. */
export interface ContractSubject {
  /** Absent if it keeps the whole contract. */
  readonly differences?: Differences;
  /** A new client of the service, as in another window. */
  readonly client: () => ExecutionService;
  /** The minimal request to run Python on this service. */
  readonly request: () => ExecutionRequest;
}

let count = 0;

/** An unused execution id. Counted across all suites, because several use the same service. */
export function nextId(): string {
  return `contract-${String((count += 1))}`;
}

/** Helpers bound to a service: its capabilities, and starting an execution. */
interface SubjectWords {
  readonly can: () => Capabilities;
  readonly start: (notebook: Uint8Array, more?: ExecutionRequest, id?: string) => Promise<Execution>;
}

/** The helpers for one service. */
export function wordsFor(subject: ContractSubject): SubjectWords {
  return {
    can: () => subject.client().capabilities,
    start: async (notebook, more = {}, id = nextId()) =>
      subject.client().create(id, merged(subject.request(), more), { notebook }),
  };
}

/** A Python notebook. A cell is given as its source, or as source and tag. */
export function python(...cells: (string | [source: string, tag: string])[]): Uint8Array {
  const metadata = { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } };
  return Buffer.from(
    JSON.stringify({
      nbformat: 4,
      nbformat_minor: 5,
      metadata,
      cells: cells.map((cell, index) => {
        const [source, ...tags] = [cell].flat();
        const tagged = tags.length === 0 ? {} : { tags };
        return {
          cell_type: 'code',
          id: `cell-${String(index)}`,
          metadata: tagged,
          source,
          outputs: [],
          execution_count: null,
        };
      }),
    }),
  );
}

/** The cells of a notebook. */
export function cellsOf(
  text: string,
): { source: string | string[]; outputs: unknown[]; execution_count: number | null }[] {
  const notebook = JSON.parse(text) as { cells: ReturnType<typeof cellsOf> };
  return notebook.cells;
}

/** A request with additional fields. */
function merged(request: ExecutionRequest, more: ExecutionRequest): ExecutionRequest {
  return {
    ...request,
    ...more,
    executionTemplate: { ...request.executionTemplate, ...more.executionTemplate },
    runOptions: { ...request.runOptions, ...more.runOptions },
  };
}

/** Waits until an execution has ended. */
export async function untilEnded(service: ExecutionService, name: string): Promise<Execution> {
  return until(`${name} has ended`, async () => {
    const execution = await service.get(name);
    return isTerminal(execution.state) && execution;
  });
}

/** Cancels an execution. Undefined if the service cannot cancel it and its differences allow that. */
export async function attemptCancel(subject: ContractSubject, name: string): Promise<Execution | undefined> {
  try {
    return await subject.client().cancel(name);
  } catch (error) {
    const allowed = subject.differences?.cancelMayFail === true;
    if (allowed && error instanceof ServiceError && error.reason === 'cancelNotPossible') return undefined;
    throw error;
  }
}

/** The whole text of a document; empty if there is none. */
export async function readText(document: OutputDocument | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of document?.read() ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Asserts that a call rejects with this error. */
export async function rejects(call: Promise<unknown>, status: StatusName, reason: string): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof ServiceError, String(error));
    assert.deepEqual([error.status, error.reason], [status, reason], error.message);
    return true;
  });
}

/** For `catch`: asserts that the error is NOT_FOUND. */
export function notFound(error: unknown): undefined {
  assert.ok(error instanceof ServiceError && error.status === 'NOT_FOUND', String(error));
}
