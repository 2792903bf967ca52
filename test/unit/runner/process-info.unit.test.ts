import * as assert from 'node:assert/strict';
import { isMemoryShort, outOfMemoryKills } from '../../../src/system/processes';

it('memory is short where next to none is left of the machine’s, or of the control group’s', () => {
  assert.equal(isMemoryShort(100, 0, 10_000), true);
  assert.equal(isMemoryShort(300, 0, 10_000), false);
  assert.equal(isMemoryShort(100, 1_000, 10_000), false);
  assert.equal(isMemoryShort(10, 1_000, 10_000), true);
  assert.equal(isMemoryShort(100, 2 ** 60, 10_000), true);
});

describe('OOM kills so far', () => {
  const V1 = '4:memory:/docker/a\n0::/docker/a\n';
  const cases: Readonly<Record<string, [files: Record<string, string>, kills: number | undefined]>> = {
    'control groups of version 2': [
      { '/proc/self/cgroup': '0::/user/a\n', '/sys/fs/cgroup/user/a/memory.events': 'oom 3\noom_kill 2\n' },
      2,
    ],
    'version 1': [
      {
        '/proc/self/cgroup': V1,
        '/sys/fs/cgroup/memory/docker/a/memory.oom_control': 'under_oom 0\noom_kill 5\n',
        '/proc/vmstat': 'oom_kill 9\n',
      },
      5,
    ],
    'without a readable one: the whole machine': [
      { '/proc/self/cgroup': V1, '/proc/vmstat': 'pgfault 1\noom_kill 7\n' },
      7,
    ],
    'nothing tells': [{ '/proc/self/cgroup': '0::/\n', '/proc/vmstat': 'pgfault 1\n' }, undefined],
    'no such files': [{}, undefined],
  };
  for (const [name, [files, kills]] of Object.entries(cases)) {
    it(name, () => {
      assert.equal(
        outOfMemoryKills((path) => files[path]),
        kills,
      );
    });
  }
});
