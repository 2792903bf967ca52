import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pythonEnvironment, pythonFile } from './service-client';

/** The tools for comparison, called as their users would. */
export const PEERS = {
  nbclient: (input: string, output: string): string[] => [
    pythonFile('jupyter-execute'),
    input,
    // nbclient appends `.ipynb` to the name it is given.
    `--output=${output.replace(/\.ipynb$/, '')}`,
  ],
  papermill: (input: string, output: string): string[] => [
    pythonFile('papermill'),
    input,
    output,
    '--kernel',
    'python3',
    '--no-progress-bar',
    '--log-level',
    'ERROR',
  ],
} as const;
export type Peer = keyof typeof PEERS;

/** Runs a command in the test Python environment and rejects with its output unless it exits with 0. */
export async function run(command: readonly string[]): Promise<void> {
  const [program, ...args] = command;
  if (program === undefined) throw new Error('no command');
  const child = spawn(program, args, { env: pythonEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0)
    throw new Error(`${program} ended with ${String(code)}: ${Buffer.concat(chunks).toString('utf8')}`);
}
