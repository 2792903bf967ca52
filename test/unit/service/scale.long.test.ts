import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { PARENT, temporaryFolder, TestService } from './support';

function residentMegabytes(pid: number | undefined): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

function processorMilliseconds(pid: number | undefined): number {
  const [user = 0, system = 0] = fs
    .readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/.*\) /, '')
    .split(' ')
    .slice(11, 13)
    .map(Number);
  // Clock ticks; 100 a second on every Linux that runs Node.
  return (user + system) * 10;
}

describe('The embedded service with many executions', () => {
  it('answers the first list of 10,000 within 3 s of a cold start, in 120 MB', async function () {
    if (process.platform !== 'linux') return;
    const folder = temporaryFolder();
    const first = await TestService.start(folder);
    await first.create('model');
    await first.ended('model');
    // It is reported before it is written: the runner's own status is on disk already.
    while (!fs.readFileSync(first.file('model', 'execution.json'), 'utf8').includes('SUCCEEDED'));
    await first.kill();
    const model = fs.readFileSync(first.file('model', 'execution.json'), 'utf8');
    for (let index = 0; index < 10_000; index++) {
      const id = `many-${index}`;
      fs.mkdirSync(first.file(id, '.'));
      const time = new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString();
      const record = { ...(JSON.parse(model.replaceAll('model', id)) as object), createTime: time };
      fs.writeFileSync(first.file(id, 'execution.json'), JSON.stringify(record));
    }
    const second = await TestService.start(folder);
    const { body } = await second.request('GET', `${PARENT}/executions?pageSize=100`);
    // Processor time of the process: its waiting times do not count.
    const elapsed = processorMilliseconds(second.process.pid);
    assert.equal((body['executions'] as unknown[]).length, 100);
    const pid = second.process.pid;
    const before = residentMegabytes(pid);
    let pages = 0;
    for (let token = ''; ; pages++) {
      // Pages larger than 1,000 are cut.
      const page = await second.request('GET', `${PARENT}/executions?pageSize=100000&pageToken=${token}`);
      const listed = page.body['executions'] as unknown[];
      assert.equal(listed.length, pages === 10 ? 1 : 1000);
      token = (page.body['nextPageToken'] as string | undefined) ?? '';
      if (token === '') break;
    }
    console.log(
      `      first list after ${elapsed.toFixed(0)} ms of processor time, ${before.toFixed(0)} MB, after all pages ${residentMegabytes(pid).toFixed(0)} MB`,
    );
    assert.equal(pages, 10);
    assert.ok(residentMegabytes(pid) <= 120, `${residentMegabytes(pid)} MB`);
    assert.ok(elapsed <= 3000, `${elapsed} ms`);
  }).timeout(60_000);

  // The build for tests keeps its source map in memory; the shipped service idles in about 50 MB.
  it('uses at most 75 MB when idle', async () => {
    if (process.platform !== 'linux') return;
    const service = await TestService.start(path.join(temporaryFolder()));
    await service.create('one');
    await service.ended('one');
    assert.ok(residentMegabytes(service.process.pid) <= 75, `${residentMegabytes(service.process.pid)} MB`);
  });
});
