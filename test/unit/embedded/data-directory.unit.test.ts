import * as assert from 'node:assert/strict';
import { defaultDataDirectory } from '../../../src/embedded';

describe('The default data directory', () => {
  it('is in the usual place of each platform', () => {
    const linux = (env: NodeJS.ProcessEnv): string => defaultDataDirectory(env, 'linux', '/home/me');
    assert.equal(linux({}), '/home/me/.local/share/notebook-executions');
    assert.equal(linux({ XDG_DATA_HOME: '/data' }), '/data/notebook-executions');
    assert.equal(linux({ XDG_DATA_HOME: 'relative' }), '/home/me/.local/share/notebook-executions');
    assert.equal(
      defaultDataDirectory({}, 'darwin', '/Users/me'),
      '/Users/me/Library/Application Support/notebook-executions',
    );
    assert.equal(
      defaultDataDirectory({ LOCALAPPDATA: 'D:\\Local' }, 'win32', 'C:\\Users\\me'),
      'D:\\Local\\notebook-executions',
    );
    assert.equal(
      defaultDataDirectory({}, 'win32', 'C:\\Users\\me'),
      'C:\\Users\\me\\AppData\\Local\\notebook-executions',
    );
  });
});
