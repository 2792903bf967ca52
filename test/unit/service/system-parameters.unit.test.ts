import * as assert from 'node:assert/strict';
import { answerForm, formatAnswer, isSystemParameter } from '../../../src/service/api/system-parameters';
import { ServiceError } from '../../../src/execution/errors';

const EXECUTION = {
  name: 'projects/local/locations/local/executions/a',
  state: 'FAILED',
  executionTemplate: {
    scaleTier: 'CUSTOM',
    acceleratorConfig: { type: 'NVIDIA_TESLA_A100', coreCount: '1' },
    labels: { state: 'RUNNING', snake_case: 'x', 'a.b': 'y' },
  },
  runOptions: { source: 'file:///a' },
  runStatus: { history: [{ state: 'FAILED', time: 't' }], message: 'm' },
};
const PAGE = { executions: [EXECUTION, { ...EXECUTION, state: 'FUTURE' }], nextPageToken: 'next' };

function answered(answer: unknown, query: string, header?: string): unknown {
  const text = formatAnswer(answer, answerForm(new URLSearchParams(query), header));
  return JSON.parse(text);
}

describe('The system parameters of a request', () => {
  it('are those of Google’s APIs, with and without $', () => {
    for (const name of [
      'alt',
      '$alt',
      'key',
      '$fields',
      'prettyPrint',
      '$.xgafv',
      'quotaUser',
      'upload_protocol',
    ])
      assert.ok(isSystemParameter(name), name);
    for (const name of ['$', 'filter', 'Alt', '$.alt', '$httpMethod', '$req'])
      assert.ok(!isSystemParameter(name), name);
  });

  it('return enumeration values as numbers in every field where Google’s resource has one', () => {
    const query = '$alt=json;enum-encoding=int';
    const numbered = {
      ...EXECUTION,
      state: 5,
      executionTemplate: {
        ...EXECUTION.executionTemplate,
        scaleTier: 6,
        acceleratorConfig: { type: 10, coreCount: '1' },
      },
    };
    assert.deepEqual(answered(EXECUTION, query), numbered);
    assert.deepEqual(answered(PAGE, query), {
      executions: [numbered, { ...numbered, state: 0 }],
      nextPageToken: 'next',
    });
    const operation = { done: true, name: 'o', response: EXECUTION };
    assert.deepEqual(answered(operation, query), { ...operation, response: numbered });
    const operations = { operations: [operation] };
    assert.deepEqual(answered(operations, query), { operations: [{ ...operation, response: numbered }] });
    for (const names of ['', 'alt=json', 'alt=JSON', '$alt=json;enum-encoding=name'])
      assert.deepEqual(answered(PAGE, names), PAGE, names);
  });

  it('select fields', () => {
    const [first, second] = ['FAILED', 'FUTURE'];
    for (const [fields, expected] of [
      [
        'executions(state),nextPageToken',
        { executions: [{ state: first }, { state: second }], nextPageToken: 'next' },
      ],
      ['executions/state', { executions: [{ state: first }, { state: second }] }],
      ['executions.state', { executions: [{ state: first }, { state: second }] }],
      ['next_page_token', { nextPageToken: 'next' }],
      ['*', PAGE],
      [
        ' nextPageToken , executions / state ',
        { executions: [{ state: first }, { state: second }], nextPageToken: 'next' },
      ],
      ['nextPageToken,nextPageToken/x'.slice(0, 13), { nextPageToken: 'next' }],
      ['', PAGE],
    ] as const)
      assert.deepEqual(answered(PAGE, `fields=${encodeURIComponent(fields)}`), expected, fields);

    for (const [fields, expected] of [
      [
        'executionTemplate(scaleTier,acceleratorConfig/type)',
        { executionTemplate: { scaleTier: 'CUSTOM', acceleratorConfig: { type: 'NVIDIA_TESLA_A100' } } },
      ],
      [
        'executionTemplate/scaleTier,executionTemplate/acceleratorConfig/type',
        { executionTemplate: { scaleTier: 'CUSTOM', acceleratorConfig: { type: 'NVIDIA_TESLA_A100' } } },
      ],
      ['executionTemplate/labels/snake_case', { executionTemplate: { labels: { snake_case: 'x' } } }],
      ['executionTemplate.labels.`a.b`', { executionTemplate: { labels: { 'a.b': 'y' } } }],
      ['runStatus/history/state,runStatus/history', { runStatus: { history: EXECUTION.runStatus.history } }],
      ['runStatus/history,runStatus/history/state', { runStatus: { history: EXECUTION.runStatus.history } }],
      ['*/source', { runOptions: { source: 'file:///a' } }],
      ['jobUri', {}],
    ] as const) {
      const found = answered(EXECUTION, `$fields=${encodeURIComponent(fields)}`);
      if (fields === '*/source')
        assert.deepEqual((found as typeof EXECUTION).runOptions, expected.runOptions);
      else assert.deepEqual(found, expected, fields);
    }
    assert.deepEqual(answered(EXECUTION, '', 'state,name'), { name: EXECUTION.name, state: 'FAILED' });
    assert.deepEqual(answered(EXECUTION, 'fields=state', 'name'), { state: 'FAILED' });
    assert.deepEqual(answered(EXECUTION, 'fields=state&$alt=json;enum-encoding=int'), { state: 5 });
    const operation = { name: 'o', metadata: { verb: 'create', target: 't' }, done: true };
    assert.deepEqual(answered(operation, 'fields=metadata/verb'), { metadata: { verb: 'create' } });
  });

  it('are refused, naming the parameter, if they are not valid', () => {
    for (const [query, field] of [
      ['alt=proto', 'alt'],
      ['alt=media', 'alt'],
      ['$alt=json;enum-encoding=hex', 'alt'],
      ['$alt=json;x=y', 'alt'],
      ['prettyPrint=maybe', 'prettyPrint'],
      ['fields=colour', 'fields'],
      ['fields=executions/colour', 'fields'],
      ['fields=name/x', 'fields'],
      ['fields=executions(name', 'fields'],
      ['fields=executions)', 'fields'],
      ['fields=executions()', 'fields'],
      ['fields=name,', 'fields'],
      ['fields=/name', 'fields'],
      ['fields=name name', 'fields'],
      ['fields=executionTemplate.labels.`a', 'fields'],
      [`fields=${'*('.repeat(30)}name${')'.repeat(30)}`, 'fields'],
      [`fields=${'name,'.repeat(1000)}name`, 'fields'],
    ] as const) {
      assert.throws(
        () => answerForm(new URLSearchParams(query), undefined),
        (error) => error instanceof ServiceError && error.args['field'] === field,
        query,
      );
    }
  });

  it('pretty-print the answer if requested', () => {
    const lines = (query: string): number =>
      formatAnswer(PAGE, answerForm(new URLSearchParams(query), undefined)).split('\n').length;
    assert.equal(lines(''), 1);
    assert.equal(lines('$prettyPrint=0'), 1);
    assert.ok(lines('prettyPrint=true') > 10);
    assert.ok(lines('$prettyPrint=1') > 10);
  });
});
