import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  ACCELERATOR_TYPES,
  JOB_TYPES,
  SCALE_TIERS,
  STATE_NUMBERS,
} from '../../../src/execution/enumerations';
import { ServiceError } from '../../../src/execution/errors';
import { STATES } from '../../../src/execution/states';
import { stagedName } from '../../../src/protocol/service-paths';
import { parseCreateBody } from '../../../src/service/create/request';
import { resolveWorkingDirectory } from '../../../src/service/create/request-paths';
import { Discovery } from '../../support/google/discovery';
import { temporaryFolder } from './support';

const inputNotebookFile = 'file:///a.ipynb';

function refused(executionTemplate: object, more: object = {}): string[] {
  try {
    parseCreateBody({ executionTemplate: { inputNotebookFile, ...executionTemplate }, ...more });
  } catch (error) {
    assert.ok(error instanceof ServiceError && error.status === 'INVALID_ARGUMENT', String(error));
    return [error.reason, error.args['field'] ?? ''];
  }
  return [];
}

describe('The body of a create request', () => {
  it('accepts every spelling of fields and values that proto3 JSON allows', () => {
    const plain = parseCreateBody({
      description: 'd',
      executionTemplate: {
        inputNotebookFile,
        scaleTier: 'CUSTOM',
        jobType: 'VERTEX_AI',
        acceleratorConfig: { type: 'NVIDIA_TESLA_A100', coreCount: '2' },
        labels: { snake_case: 'x' },
        vertexAiParameters: { env: { MY_NAME: 'y' } },
      },
      runOptions: { maxAttempts: 2, memoryLimitBytes: 5e9, timeout: 1.5, vertex: { diskSizeGb: 100 } },
    });
    const other = parseCreateBody({
      description: 'd',
      execution_template: {
        input_notebook_file: inputNotebookFile,
        scale_tier: 6,
        job_type: 1,
        accelerator_config: { type: 10, core_count: 2 },
        labels: { snake_case: 'x' },
        vertex_ai_parameters: { network: null, env: { MY_NAME: 'y' } },
        dataproc_parameters: null,
        tensorboard: null,
      },
      run_options: {
        max_attempts: '2',
        memory_limit_bytes: '5000000000',
        timeout: '1.5',
        source: null,
        vertex: { disk_size_gb: '100' },
      },
      run_status: null,
      state: null,
    });
    assert.deepEqual(other, plain);
  });

  it('is refused, naming the field, if a value has the wrong type or is not in its enumeration', () => {
    const fieldOf = (template: object): string[] => refused(template);
    for (const [field, values] of [
      ['scaleTier', ['HUGE', 7, -1, true, '6', 'toString', {}]],
      ['jobType', ['SPARK', 3, []]],
    ] as const) {
      for (const value of values) {
        const expected = ['fieldInvalid', `executionTemplate.${field}`];
        assert.deepEqual(fieldOf({ [field]: value }), expected, JSON.stringify(value));
      }
    }
    for (const [type, coreCount, field] of [
      ['TPU_V9', 1, 'type'],
      [11, 1, 'type'],
      [4, '1.5', 'coreCount'],
      [4, 'one', 'coreCount'],
      [4, 2 ** 60, 'coreCount'],
      [4, '9223372036854775808', 'coreCount'],
      [4, true, 'coreCount'],
      [4, '', 'coreCount'],
    ] as const) {
      const expected = ['fieldInvalid', `executionTemplate.acceleratorConfig.${field}`];
      assert.deepEqual(fieldOf({ acceleratorConfig: { type, coreCount } }), expected, String(coreCount));
    }
    const both = { dataprocParameters: { cluster: 'c' }, vertexAiParameters: {} };
    assert.deepEqual(fieldOf(both), ['fieldInvalid', 'executionTemplate.vertexAiParameters']);
    for (const labels of [{ a: null }, { a: 1 }, [], 'a', { a: {} }])
      assert.equal(fieldOf({ labels })[0], 'fieldInvalid', JSON.stringify(labels));
    assert.deepEqual(refused({}, { runOptions: { timeout: 'soon' } }), [
      'fieldInvalid',
      'runOptions.timeout',
    ]);
    assert.deepEqual(refused({}, { runOptions: { maxAttempts: '1.5' } })[0], 'fieldInvalid');
  });

  it('is refused, naming the field, if a field is unknown or given under both of its names', () => {
    for (const [template, field] of [
      [{ scale_tiers: 1 }, 'scale_tiers'],
      [{ unknown: null }, 'unknown'],
      [{ scaleTier: 1, scale_tier: 2 }, 'scale_tier'],
      [JSON.parse('{"__proto__": {"scaleTier": "HUGE"}}'), '__proto__'],
    ] as [object, string][])
      assert.deepEqual(refused(template), ['fieldUnknown', `executionTemplate.${field}`]);
  });

  it('supports the values of the discovery document', () => {
    const discovery = new Discovery('notebooks.v1');
    const names = (values: object): string[] => Object.keys(values).sort();
    for (const [schema, property, values] of [
      ['Execution', 'state', STATE_NUMBERS],
      ['ExecutionTemplate', 'scaleTier', SCALE_TIERS],
      ['ExecutionTemplate', 'jobType', JOB_TYPES],
      ['SchedulerAcceleratorConfig', 'type', ACCELERATOR_TYPES],
    ] as const)
      assert.deepEqual(names(values), [...discovery.enumOf(schema, property)].sort(), property);

    assert.deepEqual(names(STATE_NUMBERS), [...STATES].sort());
  });
});

describe('The default working directory', () => {
  it('is the folder of the source, else of the input, else the home directory', async () => {
    const [one, two] = [temporaryFolder(), temporaryFolder()];
    const uri = (folder: string, name = 'n.ipynb'): string => pathToFileURL(path.join(folder, name)).href;
    const resolve = (input: string, source?: string): Promise<string> =>
      resolveWorkingDirectory({
        executionTemplate: { inputNotebookFile: input },
        runOptions: source === undefined ? {} : { source },
      });
    assert.equal(await resolve(uri(one), uri(two)), two);
    assert.equal(await resolve(uri(one)), one);
    assert.equal(await resolve(uri(one), 'untitled:Untitled-1'), one);
    assert.equal(await resolve(uri(one), uri(path.join(two, 'gone'))), one);
    assert.equal(await resolve(uri(path.join(one, 'gone')), undefined), os.homedir());
    // The editor's copy of an unsaved notebook.
    const staging = path.join(one, 'staging');
    fs.mkdirSync(staging);
    assert.equal(await resolve(uri(staging, stagedName()), 'untitled:Untitled-1'), os.homedir());
  });
});
