import assert from 'node:assert/strict';
import { closest } from '../../../src/execution/closest';
import { expandOutputName } from '../../../src/execution/templates/template';
import { parseTemplates } from '../../../src/execution/templates/template-problems';

describe('templates of the setting', () => {
  const problems = (item: unknown): unknown => parseTemplates([item])[0]?.problems;

  it('reads a template with every kind of field', () => {
    const [entry] = parseTemplates([
      {
        name: 'Nightly',
        service: 'embedded',
        executionTemplate: { kernelSpec: 'python3', labels: { team: 'a' }, parameters: 'alpha: 1.0' },
        runOptions: { timeout: 60, allowErrors: true, writeBack: true, environment: { A: 'b' } },
      },
    ]);
    assert.deepEqual(entry, {
      name: 'Nightly',
      template: {
        name: 'Nightly',
        service: 'embedded',
        executionTemplate: { kernelSpec: 'python3', labels: { team: 'a' }, parameters: 'alpha: 1.0' },
        runOptions: { timeout: 60, allowErrors: true, writeBack: true, environment: { A: 'b' } },
      },
    });
  });

  it('has no templates when the setting is absent, and an error when it is not a list', () => {
    assert.deepEqual(parseTemplates(undefined), []);
    assert.deepEqual(parseTemplates({ name: 'x' })[0]?.problems, [
      { code: 'wrongType', field: '', expected: 'array' },
    ]);
  });

  it('reports an unknown field with the likely intended name, at every depth', () => {
    const base = { name: 'x', service: 'embedded' };
    assert.deepEqual(problems({ ...base, projct: 'p' }), [
      { code: 'unknownField', field: 'projct', suggestion: 'project' },
    ]);
    assert.deepEqual(problems({ ...base, executionTemplate: { kernelspec: 'python3' } }), [
      { code: 'unknownField', field: 'executionTemplate.kernelspec', suggestion: 'kernelSpec' },
    ]);
    assert.deepEqual(problems({ ...base, runOptions: { timout: 3, zzz: 1 } }), [
      { code: 'unknownField', field: 'runOptions.timout', suggestion: 'timeout' },
      { code: 'unknownField', field: 'runOptions.zzz', suggestion: undefined },
    ]);
    assert.deepEqual(problems({ ...base, executionTemplate: { vertexAiParameters: { netwrk: '' } } }), [
      { code: 'unknownField', field: 'executionTemplate.vertexAiParameters.netwrk', suggestion: 'network' },
    ]);
  });

  it('reports a missing name, service, project and location', () => {
    assert.deepEqual(problems({ service: 'embedded' }), [{ code: 'missingField', field: 'name' }]);
    assert.deepEqual(problems({ name: '', service: 'embedded' }), [{ code: 'missingField', field: 'name' }]);
    assert.deepEqual(problems({ name: 'x' }), [{ code: 'missingField', field: 'service' }]);
    assert.deepEqual(problems({ name: 'x', service: 'vertex' }), [
      { code: 'missingField', field: 'project' },
      { code: 'missingField', field: 'location' },
    ]);
  });

  it('reports wrong types and values', () => {
    assert.deepEqual(problems('x'), [{ code: 'wrongType', field: '', expected: 'object' }]);
    assert.deepEqual(problems({ name: 'x', service: 'cloud' }), [
      { code: 'wrongValue', field: 'service', allowed: 'embedded, notebooks, vertex' },
    ]);
    assert.deepEqual(problems({ name: 'x', service: 'embedded', runOptions: { timeout: '60' } }), [
      { code: 'wrongType', field: 'runOptions.timeout', expected: 'number' },
    ]);
    assert.deepEqual(problems({ name: 'x', service: 'embedded', runOptions: { timeout: 0 } }), [
      { code: 'wrongValue', field: 'runOptions.timeout', allowed: '> 0' },
    ]);
    assert.deepEqual(problems({ name: 'x', service: 'embedded', runOptions: { maxAttempts: 99 } }), [
      { code: 'wrongValue', field: 'runOptions.maxAttempts', allowed: '≤ 10' },
    ]);
    assert.deepEqual(
      problems({ name: 'x', service: 'embedded', executionTemplate: { parameters: { a: 1 } } }),
      [{ code: 'wrongType', field: 'executionTemplate.parameters', expected: 'string' }],
    );
  });

  it('keeps the position and the name of a broken entry, and refuses a duplicate name', () => {
    const entries = parseTemplates(
      [
        { name: 'a', service: 'embedded' },
        { name: 'b', service: 'embedded', x: 1 },
        { name: 'a', service: 'embedded' },
        { name: 'This machine', service: 'embedded' },
      ],
      ['This machine'],
    );
    assert.deepEqual(
      entries.map((entry) => [entry.name, entry.problems?.map((problem) => problem.code)]),
      [
        ['a', undefined],
        ['b', ['unknownField']],
        ['a', ['duplicateName']],
        ['This machine', ['duplicateName']],
      ],
    );
  });
});

describe('closest name', () => {
  it('finds misspellings but no unrelated names', () => {
    assert.equal(closest('learnig_rate', ['epochs', 'learning_rate']), 'learning_rate');
    assert.equal(closest('ALPHA', ['alpha']), 'alpha');
    assert.equal(closest('x', ['alpha', 'epochs']), undefined);
    assert.equal(closest('', ['alpha']), undefined);
  });
});

describe('output names', () => {
  const values = { name: 'sales', id: 'e1', now: new Date(2026, 0, 2, 3, 4, 5) };

  it('replaces the placeholders of the pattern and ends in .ipynb', () => {
    assert.equal(expandOutputName('{name}-{date}-{time}-{id}', values), 'sales-2026-01-02-030405-e1.ipynb');
    assert.equal(expandOutputName('out.ipynb', values), 'out.ipynb');
    assert.equal(expandOutputName('{other}', values), '{other}.ipynb');
  });

  it('never becomes a path', () => {
    assert.equal(expandOutputName('{name}', { ...values, name: '../../etc/x' }), '_.._etc_x.ipynb');
    assert.equal(expandOutputName('..', values), 'output.ipynb');
    assert.equal(expandOutputName('{name}', { ...values, name: 'a:b*c?"d"<e>|' }), 'a_b_c__d__e__.ipynb');
  });
});
