import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { OAuth2Client } from 'google-auth-library';
import { notebooks_v1 } from 'googleapis/build/src/apis/notebooks/v1';
import { until } from '../../support/until';
import { fakeKernel, NOTEBOOK, temporaryFolder, TestService } from './support';

describe('Google’s own client of the Notebooks API v1', () => {
  it('uses the embedded service like the real one', async () => {
    const folder = temporaryFolder();
    // The client has no place for the environment, so that the service's own has the kernel.
    Object.assign(process.env, { JUPYTER_PATH: fakeKernel(folder)['JUPYTER_PATH'] });
    const service = await TestService.start(folder);
    delete process.env['JUPYTER_PATH'];
    const auth = new OAuth2Client();
    auth.setCredentials({ access_token: service.token });
    const client = new notebooks_v1.Notebooks({ rootUrl: service.endpoint.href, auth, proxy: '' });
    const { executions, operations } = client.projects.locations;
    const parent = 'projects/local/locations/local';
    const input = path.join(folder, 'a.ipynb');
    fs.writeFileSync(input, NOTEBOOK);
    const requestBody = {
      description: 'from Google’s client',
      executionTemplate: {
        inputNotebookFile: pathToFileURL(input).href,
        scaleTier: 'BASIC',
        labels: { a: 'b' },
      },
    };
    const { data: operation } = await executions.create({ parent, executionId: 'google', requestBody });
    assert.equal(operation.done, true);
    const name = `${parent}/executions/google`;
    assert.equal(operation.response?.['name'], name);
    await service.ended('google');
    const { data: execution } = await executions.get({ name });
    assert.deepEqual([execution.state, execution.description], ['SUCCEEDED', requestBody.description]);
    // Parameters of all Google APIs, which mean nothing here.
    const standard = {
      '$.xgafv': '1',
      access_token: 'token',
      alt: 'json',
      callback: 'callback',
      fields: 'executions',
      key: 'key',
      oauth_token: 'token',
      prettyPrint: false,
      quotaUser: 'user',
      upload_protocol: 'raw',
      uploadType: 'media',
    };
    const { data: page } = await executions.list({ parent, pageSize: 5, ...standard });
    assert.deepEqual(
      page.executions?.map((each) => each.name),
      [name],
    );
    assert.equal((await operations.get({ name: operation.name ?? '' })).data.metadata?.['verb'], 'create');
    assert.equal((await client.projects.locations.get({ name: parent })).data.locationId, 'local');
    await assert.rejects(
      executions.create({ parent, executionId: 'google', requestBody: {} }),
      (error: unknown) => {
        assert.ok(error instanceof Error && 'status' in error);
        assert.equal(error.status, 400);
        return true;
      },
    );
    // The end is shown before the last process of the run is gone; the operation tells when the execution is.
    const { data: deletion } = await executions.delete({ name });
    assert.equal(deletion.metadata?.['verb'], 'delete');
    await until('the execution is deleted', async () => {
      const { data } = await operations.get({ name: deletion.name ?? '' });
      return data.done;
    });
    await assert.rejects(executions.get({ name }), /no execution google/);
  });
});
