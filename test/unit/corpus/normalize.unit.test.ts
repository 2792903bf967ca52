import assert from 'node:assert/strict';
import { scrub } from './normalize';

describe('values that differ between runs', () => {
  it('are normalised to the same on a fast machine and a slow one', () => {
    const quick = 'CPU times: user 3 μs, sys: 0 ns, total: 3.1 μs\nWall time: 5.2 µs\n';
    for (const slow of [
      'CPU times: user 12.5 ms, sys: 1e+03 µs, total: 1.01 s\nWall time: 1min 2s\n',
      'CPU times: user 1h 2min 3s, sys: 2min, total: 1h\nCompiler : 120 ms\nParser   : 1.2 s\nWall time: 1d 2h 5s\n',
    ])
      assert.equal(scrub(slow), scrub(quick));
    assert.equal(scrub(' 3/3 [00:00<00:00, 49.30it/s]'), scrub(' 3/3 [01:12<00:00,  2.51s/it]'));
    assert.equal(scrub('3 of 4, 0.25 sum'), '3 of 4, 0.25 sum');
  });
});
