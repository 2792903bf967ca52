import assert from 'node:assert/strict';
import { ServiceError, type StatusName } from '../../src/execution/errors';
import type { Execution, ExecutionRequest } from '../../src/execution/execution';
import type { Capabilities, ExecutionService, OutputDocument } from '../../src/execution/execution-service';
import { isTerminal } from '../../src/execution/states';
import { until } from './until';

/* What the suites of the contract say in one word. */

/** Where a service may fall short of the contract. Another difference is a broken contract, not a new entry. */
export interface Differences {
  /** `cancel` may reject with `cancelNotPossible`; deleting the execution ends it instead. */
  readonly cancelMayFail: boolean;
  /** `runStatus.history` has the states that the service told, not each one; short ones may be missing. */
  readonly sampledHistory: boolean;
  /** No `progress`, `kernel` or `host` in `runStatus`; the failing cell is known from the output alone. */
  readonly opaqueRun: boolean;
  /** Answers have only those fields of the request that the service has a place for. */
  readonly partialEcho: boolean;
}

/** A service under the contract. */
export interface ContractSubject {
  /** Absent: it keeps all of the contract. */
  readonly differences?: Differences;
  /** A new client of the service, as another window would have it. */
  readonly client: () => ExecutionService;
  /** What this service needs of a request to run Python at all. */
  readonly request: () => ExecutionRequest;
}

let count = 0;

/** An id that no execution has yet. Counted over all suites, because several of them use the same service. */
export function nextId(): string {
  return `contract-${String((count += 1))}`;
}

/** What a service can, and how an execution is started on it. */
interface SubjectWords {
  readonly can: () => Capabilities;
  readonly start: (notebook: Uint8Array, more?: ExecutionRequest, id?: string) => Promise<Execution>;
}

/** The words that are about one service. */
export function wordsFor(subject: ContractSubject): SubjectWords {
  return {
    can: () => subject.client().capabilities,
    start: async (notebook, more = {}, id = nextId()) =>
      subject.client().create(id, merged(subject.request(), more), { notebook }),
  };
}

/** A Python notebook; a cell is its source, or source and tag. */
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

/** A request with more in it. */
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

/** The execution being cancelled; undefined where the service says that it cannot, as its differences allow. */
export async function attemptCancel(subject: ContractSubject, name: string): Promise<Execution | undefined> {
  try {
    return await subject.client().cancel(name);
  } catch (error) {
    const allowed = subject.differences?.cancelMayFail === true;
    if (allowed && error instanceof ServiceError && error.reason === 'cancelNotPossible') return undefined;
    throw error;
  }
}

/** All of a document; empty where there is none. */
export async function readText(document: OutputDocument | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of document?.read() ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Asserts that a call ends in this error. */
export async function rejects(call: Promise<unknown>, status: StatusName, reason: string): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof ServiceError, String(error));
    assert.deepEqual([error.status, error.reason], [status, reason], error.message);
    return true;
  });
}

/** For `catch`: asserts that something is gone. */
export function notFound(error: unknown): undefined {
  assert.ok(error instanceof ServiceError && error.status === 'NOT_FOUND', String(error));
}
