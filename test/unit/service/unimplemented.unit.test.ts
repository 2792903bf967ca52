import * as assert from 'node:assert/strict';
import { Discovery } from '../../support/google/discovery';
import { errorOf, startApi } from './api';

describe('The API of the embedded service', () => {
  it('answers each method of the Notebooks API v1, the unsupported ones with UNIMPLEMENTED', async () => {
    const { service } = await startApi();
    const own =
      /^notebooks\.projects\.locations\.(?:get|list|executions\.\w+|operations\.\w+|schedules\.\w+)$/;
    let missing = 0;
    for (const { id, httpMethod, path } of new Discovery('notebooks.v1').methods()) {
      const target = path
        .replace('{projectsId}', 'local')
        .replace('{locationsId}', 'local')
        .replace(/\{\w+\}/, 'a');
      const answer = await service.request(httpMethod, target, httpMethod.startsWith('P') ? {} : undefined);
      if (own.test(id)) {
        if (answer.code !== 200) assert.notEqual(errorOf(answer).reason, 'pathNotFound', id);
      } else {
        missing++;
        assert.deepEqual([errorOf(answer).code, errorOf(answer).status], [501, 'UNIMPLEMENTED'], id);
      }
    }
    assert.ok(missing > 40);
  });
});
