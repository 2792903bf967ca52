import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { placeOutput } from '../../../src/service/executions/placed-output';
import type { Placing } from '../../../src/service/executions/record';
import { until } from '../../support/until';
import { ROOT, temporaryFolder, TestService, Unruly } from './support';
import { DIES, interfereWithDisk, systemError, type Orders } from './unruly-disk';

const PRELOAD = path.join(ROOT, 'out/test/unit/service/unruly.main.js');
const NAME = 'my notebook-one.ipynb';

describe('An output that a service was moving into place', () => {
  for (const [where, fail] of [
    ['in any folder', undefined],
    ['in a folder without hard links', { match: '^link .*/out/', code: 'EPERM' }],
  ] as const) {
    it(`is placed once, ${where}, whichever step was interrupted`, async function () {
      // Longer than each of its waits, so that a hang shows where.
      this.timeout(600_000);
      const steps: string[] = [];
      let next = 1;
      let isOver = false;
      const worker = async (): Promise<void> => {
        while (!isOver) {
          const died = await diesWhilePlacing({ dieAt: next++, ...(fail && { fail }) });
          if (died === undefined) isOver = true;
          else steps.push(died);
        }
      };
      await Promise.all([worker(), worker(), worker()]);
      assert.ok(steps.filter((step) => step.includes('/out/')).length > 1, steps.join('\n'));
    });
  }
});

/** Runs an execution on a service that dies at a step of its end. @returns that step; undefined if it did not die. */
async function diesWhilePlacing(orders: Orders): Promise<string | undefined> {
  const folder = temporaryFolder();
  const target = path.join(folder, 'out');
  fs.mkdirSync(target);
  fs.writeFileSync(path.join(target, NAME), '');
  const unruly = new Unruly(folder);
  const doomed = await TestService.startBy(folder, {
    command: [process.execPath, '--require', PRELOAD],
    env: { UNRULY: unruly.env['UNRULY'] ?? '' },
  });
  const template = { outputNotebookFolder: pathToFileURL(target).href };
  await doomed.create('one', 'wait', { template });
  await doomed.running('one');
  unruly.order({ ...orders, dieIn: '/(executions|out)' });
  doomed.go('one');
  const onDisk = (): string => fs.readFileSync(doomed.file('one', 'execution.json'), 'utf8');
  await until(
    'the service had died or was done',
    () => doomed.process.signalCode !== null || onDisk().includes('SUCCEEDED'),
  );
  await doomed.kill();
  await until('its last words have come', () => doomed.process.stderr?.closed === true);
  const died = doomed.stderr.find((line) => line.startsWith(DIES));
  const where = `${String(orders.dieAt)}: ${died ?? 'the end'}`;
  const service = await TestService.start(folder);
  const { state, outputNotebookFile = '' } = await service.ended('one');
  await until('the end is on disk', () => onDisk().includes('SUCCEEDED'));
  assert.equal(state, 'SUCCEEDED', where);
  const placed = fs.readdirSync(target).filter((name) => name !== NAME);
  assert.deepEqual(placed, [NAME.replace('.ipynb', '-1.ipynb')], where);
  assert.equal(
    fileURLToPath(outputNotebookFile),
    path.join(target, placed[0] ?? ''),
    `${where} ${doomed.stderr.join('')} ${service.stderr.join('')}`,
  );
  assert.match(fs.readFileSync(path.join(target, placed[0] ?? ''), 'utf8'), /^output of .*one 1$/, where);
  assert.equal(fs.readFileSync(path.join(target, NAME), 'utf8'), '', where);
  assert.ok(!onDisk().includes('placing'), where);
  await service.kill();
  return died;
}

describe('Placing an output again after a crash', () => {
  const record = { id: 'one', content: 'abcdef0123456789', stem: 'notebook', runOptions: {} };
  const aside = '.one-abcdef01.ipynb';
  let output: string;
  let target: string;
  let noted: Placing[];
  const note = (placing: Placing): Promise<void> => Promise.resolve(void noted.push(placing));
  beforeEach(() => {
    const folder = temporaryFolder();
    output = path.join(folder, 'output.ipynb');
    target = path.join(folder, 'out');
    noted = [];
    fs.writeFileSync(output, 'the output');
    fs.mkdirSync(target);
  });

  it('keeps a file that another program created with that name meanwhile', async () => {
    fs.writeFileSync(path.join(target, aside), 'the out');
    fs.writeFileSync(path.join(target, 'notebook-one.ipynb'), 'the');
    const placing = { name: 'notebook-one.ipynb' };
    const place = await placeOutput(output, target, { ...record, placing }, note);
    assert.equal(path.basename(place), 'notebook-one-1.ipynb');
    assert.equal(fs.readFileSync(path.join(target, 'notebook-one.ipynb'), 'utf8'), 'the');
    assert.deepEqual(fs.readdirSync(target).sort(), ['notebook-one-1.ipynb', 'notebook-one.ipynb']);
  });

  it('keeps a file with other content on file systems where outputs are copied', async () => {
    fs.writeFileSync(path.join(target, aside), 'the output');
    fs.writeFileSync(path.join(target, 'notebook-one.ipynb'), 'thesis');
    const placing = { name: 'notebook-one.ipynb', isCopy: true };
    const place = await placeOutput(output, target, { ...record, placing }, note);
    assert.equal(path.basename(place), 'notebook-one-1.ipynb');
    assert.equal(fs.readFileSync(path.join(target, 'notebook-one.ipynb'), 'utf8'), 'thesis');
  });

  it('searches a free name only in the output folder, whatever the record says', async () => {
    fs.writeFileSync(path.join(target, aside), 'the output');
    const precious = path.join(path.dirname(target), 'precious');
    fs.writeFileSync(precious, 'the');
    const placing = { name: '../precious', isCopy: true };
    await placeOutput(output, target, { ...record, placing }, note);
    assert.equal(fs.readFileSync(precious, 'utf8'), 'the');
  });

  it('accepts a link that a network file system created although it reported that the name exists', async () => {
    const restore = interfereWithDisk(({ call, path: file }) => {
      if (call !== 'link') return;
      fs.linkSync(file, path.join(target, 'notebook-one.ipynb'));
      throw systemError('EEXIST');
    });
    try {
      const place = await placeOutput(output, target, record, note);
      assert.equal(path.basename(place), 'notebook-one.ipynb');
    } finally {
      await restore();
    }
    assert.deepEqual(fs.readdirSync(target), ['notebook-one.ipynb']);
    assert.deepEqual(noted, [{ name: 'notebook-one.ipynb' }]);
  });
});
