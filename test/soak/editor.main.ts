/*
 * Stands for an editor's extension host: submits the notebook of the round through the product's own client and then
 * waits until it is killed or its input ends.
 *
 *   editor.main.js DATA_DIR EXECUTION_ID NOTEBOOK [OUTPUT_FOLDER]
 */
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { EmbeddedExecutionService } from '../../src/embedded';
import { VENV_BIN, VENV_PYTHON } from '../support/python';
import { ROOT } from '../support/paths';

async function main(): Promise<void> {
  const [dataDirectory = '', executionId = '', notebook = '', out = ''] = process.argv.slice(2);
  const { SOAK_KERNEL: kernelSpec = '' } = process.env;
  const service = soakService(dataDirectory);
  const execution = await service.create(
    executionId,
    {
      executionTemplate: {
        ...(kernelSpec !== '' && { kernelSpec }),
        ...(out !== '' && { outputNotebookFolder: pathToFileURL(out).href }),
      },
      runOptions: {
        source: pathToFileURL(notebook).href,
        ...(kernelSpec === '' && { interpreter: VENV_PYTHON }),
        environment: {
          ...Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name, value ?? ''])),
          PATH: `${VENV_BIN}${path.delimiter}${process.env['PATH'] ?? ''}`,
          SOAK_ID: executionId,
        },
      },
    },
    { notebook: readFileSync(notebook) },
  );
  process.stdout.write(`${execution.name}\n`);
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}

function soakService(dataDirectory: string): EmbeddedExecutionService {
  return new EmbeddedExecutionService({
    dataDirectory,
    bundles: path.join(ROOT, 'dist'),
    version: '0.0.0-soak',
    config: { maxConcurrent: 4, spare: true },
    log: (message) => process.stderr.write(`${message}\n`),
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
