import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { installBundles } from '../../../src/embedded/bundles';
import { temporaryFolder } from '../service/support';

describe('Installing the bundles', () => {
  let source: string;
  let versions: string;
  beforeEach(() => {
    const folder = temporaryFolder();
    source = path.join(folder, 'dist');
    versions = path.join(folder, 'data', 'versions');
    fs.mkdirSync(path.join(source, 'node_modules/zeromq'), { recursive: true });
    for (const file of ['service.js', 'runner.js', 'node_modules/zeromq/addon.node'])
      fs.writeFileSync(path.join(source, file), file);
  });

  it('of the same build by two windows at once leaves one copy and no temporary files', async () => {
    const both = [1, 2].map(() => installBundles(source, '1.0.0', versions));
    const [one, other] = await Promise.all(both);
    assert.deepEqual(one, other);
    assert.deepEqual(fs.readdirSync(versions), [one?.build]);
    for (const file of ['service.js', 'runner.js', 'node_modules/zeromq/addon.node'])
      assert.equal(fs.readFileSync(path.join(versions, one?.build ?? '', file), 'utf8'), file);
  });

  it('leaves nothing behind when it fails', async () => {
    fs.rmSync(path.join(source, 'node_modules'), { recursive: true });
    await assert.rejects(installBundles(source, '1.0.0', versions), /ENOENT/);
    assert.deepEqual(fs.readdirSync(versions), []);
  });

  it('keeps the four previous builds, and removes only older ones', async () => {
    const former = [1, 2, 3, 4, 5, 6].map((number) => `0.${number}.0-0123456789ab`);
    for (const [age, name] of [...former].reverse().entries()) {
      fs.mkdirSync(path.join(versions, name), { recursive: true });
      fs.utimesSync(path.join(versions, name), 0, Date.now() / 1000 - 1000 * (age + 1));
    }
    fs.mkdirSync(path.join(versions, 'notes'));
    fs.utimesSync(path.join(versions, 'notes'), 0, 0);
    const { build } = await installBundles(source, '1.0.0', versions);
    assert.deepEqual(fs.readdirSync(versions).sort(), [...former.slice(2), build, 'notes'].sort());
  });
});
