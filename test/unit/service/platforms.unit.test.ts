import assert from 'node:assert/strict';
import { controlAddress } from '../../../src/runner/job';
import { processStartTime } from '../../../src/runner/kernel/process-info';

describe('on each platform', () => {
  it('a runner is reached by a socket in its directory, on Windows by a named pipe', () => {
    assert.equal(controlAddress('/run/nbx/a1', 'linux'), '/run/nbx/a1/control');
    assert.equal(controlAddress('/private/tmp/nbx/a1', 'darwin'), '/private/tmp/nbx/a1/control');
    assert.equal(
      controlAddress(String.raw`C:\Users\ada\AppData\Local\Temp\nbx\a1`, 'win32'),
      String.raw`\\.\pipe\notebook-executions-a1`,
    );
  });

  it('a process is told from a later one of its id: by /proc, by ps as on macOS', async () => {
    const readings: NodeJS.Platform[] =
      process.platform === 'linux' ? ['linux', 'darwin'] : [process.platform];
    for (const platform of readings) {
      const start = await processStartTime(process.pid, platform);
      assert.ok(start, platform);
      assert.equal(await processStartTime(process.pid, platform), start);
      assert.equal(await processStartTime(2 ** 22 + 1, platform), undefined, platform);
    }
  });

  it('which process it is stays unknown where the system’s program is missing', async () => {
    if (process.platform !== 'win32') {
      assert.equal(await processStartTime(process.pid, 'win32'), undefined);
    }
  });
});
