import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorOf } from '../service/api';
import { NOTEBOOK, PARENT, temporaryFolder, TestService } from '../service/support';
import { ScheduleClient, type Changes } from './support';

const NAME = 'projects/local/locations/local/schedules';

describe('Schedules over the API', function () {
  this.timeout(60_000);
  let client: ScheduleClient;

  before(async () => {
    client = new ScheduleClient(await TestService.start(temporaryFolder()));
  });

  it('creates, gets, lists and deletes', async () => {
    const created = await client.create('nightly', { description: 'each night' });
    assert.equal(created.code, 200);
    assert.equal(created.body['done'], true);
    const response = created.body['response'] as Record<string, unknown>;
    assert.equal(response['@type'], 'type.googleapis.com/google.cloud.notebooks.v1.Schedule');
    const schedule = await client.get('nightly');
    assert.equal(schedule.name, `${NAME}/nightly`);
    assert.equal(schedule.state, 'ENABLED');
    assert.equal(schedule.displayName, 'my_notebook');
    assert.equal(schedule.description, 'each night');
    const hour = new Intl.DateTimeFormat('de', { hour: '2-digit', timeZone: 'Europe/Berlin' });
    assert.match(hour.format(new Date(schedule.scheduleStatus?.nextRunTime ?? '')), /^06/);
    const list = await client.service.request('GET', `${PARENT}/schedules`);
    assert.deepEqual(
      (list.body['schedules'] as { name: string }[]).map(({ name }) => name),
      [`${NAME}/nightly`],
    );
    const deleted = await client.service.request('DELETE', `${PARENT}/schedules/nightly`);
    assert.equal(deleted.body['done'], true);
    const gone = errorOf(await client.service.request('GET', `${PARENT}/schedules/nightly`));
    assert.deepEqual([gone.code, gone.reason], [404, 'scheduleNotFound']);
    assert.ok(!fs.existsSync(client.file('nightly', '')));
  });

  it('lists in pages', async () => {
    for (const id of ['page-c', 'page-a', 'page-b']) await client.create(id);
    const first = await client.service.request('GET', `${PARENT}/schedules?pageSize=2`);
    const token = String(first.body['nextPageToken']);
    const second = await client.service.request('GET', `${PARENT}/schedules?pageSize=2&pageToken=${token}`);
    const names = [first, second].flatMap(({ body }) => body['schedules'] as { name: string }[]);
    assert.deepEqual(
      names.map(({ name }) => name.slice(name.lastIndexOf('/') + 1)),
      ['page-a', 'page-b', 'page-c'],
    );
    assert.ok(!('nextPageToken' in second.body));
  });

  it('filters and orders', async () => {
    await client.create('filter-one');
    await client.create('filter-two', { cronSchedule: '@daily' });
    await client.call('filter-two', 'pause');
    const listed = async (query: string): Promise<string[]> => {
      const { body } = await client.service.request('GET', `${PARENT}/schedules?${query}`);
      return (body['schedules'] as { name: string }[]).map(({ name }) => name.slice(NAME.length + 1));
    };
    assert.deepEqual(await listed('filter=state%3DPAUSED'), ['filter-two']);
    assert.deepEqual(await listed('filter=filter-&orderBy=name%20desc'), ['filter-two', 'filter-one']);
  });

  it('accepts proto3 JSON, and returns enumerations as numbers on request', async () => {
    const { cronSchedule, timeZone, executionTemplate, runOptions } = client.body();
    const body = {
      cron_schedule: cronSchedule,
      time_zone: timeZone,
      description: null,
      execution_template: executionTemplate,
      run_options: runOptions,
      schedule_options: { max_runs: '3' },
    };
    const { code } = await client.service.request('POST', `${PARENT}/schedules?scheduleId=proto`, body);
    assert.equal(code, 200);
    assert.deepEqual((await client.get('proto')).scheduleOptions, { maxRuns: 3 });
    await client.patch('proto', 'schedule_options.max_runs', { schedule_options: { max_runs: '4' } });
    assert.deepEqual((await client.get('proto')).scheduleOptions, { maxRuns: 4 });
    const alt = '$alt=json;enum-encoding=int';
    const numbered = await client.service.request('GET', `${PARENT}/schedules/proto?${alt}`);
    assert.equal(numbered.body['state'], 1);
  });

  it('accepts a repeated create with the same content, and refuses other content', async () => {
    await client.create('twice');
    const first = await client.get('twice');
    assert.equal((await client.create('twice')).code, 200);
    assert.equal((await client.get('twice')).createTime, first.createTime);
    const other = errorOf(await client.create('twice', { cronSchedule: '0 7 * * *' }));
    assert.deepEqual([other.code, other.reason], [409, 'alreadyExists']);
  });

  const missing = pathToFileURL(path.join(__dirname, 'missing.ipynb')).href;
  const refused: [title: string, changes: Changes, field: string][] = [
    ['no cron', { cronSchedule: 'soon' }, 'cronSchedule'],
    ['a minute that does not exist', { cronSchedule: '60 * * * *' }, 'cronSchedule'],
    ['more than one run a minute', { cronSchedule: '*/10 * * * * *' }, 'cronSchedule'],
    ['a date instead of cron', { cronSchedule: '2030-01-01T00:00:00Z' }, 'cronSchedule'],
    ['31 February', { cronSchedule: '0 0 31 2 *' }, 'cronSchedule'],
    ['the start of the machine', { cronSchedule: '@reboot' }, 'cronSchedule'],
    ['a long list', { cronSchedule: `${'1,'.repeat(200)}1 * * * *` }, 'cronSchedule'],
    ['no text', { cronSchedule: 5 }, 'cronSchedule'],
    ['no time zone', { timeZone: 'Mars/Olympus_Mons' }, 'timeZone'],
    ['an offset', { timeZone: '+02:00' }, 'timeZone'],
    [
      'an end in the past',
      { scheduleOptions: { endTime: '2020-01-01T00:00:00Z' } },
      'scheduleOptions.endTime',
    ],
    [
      'an end before the start',
      { scheduleOptions: { startTime: '2099-01-01T00:00:00Z', endTime: '2098-01-01T00:00:00Z' } },
      'scheduleOptions.endTime',
    ],
    ['no time', { scheduleOptions: { startTime: 'tomorrow' } }, 'scheduleOptions.startTime'],
    ['no number of runs', { scheduleOptions: { maxRuns: 0 } }, 'scheduleOptions.maxRuns'],
    ['an unknown choice', { scheduleOptions: { overlap: 'kill' } }, 'scheduleOptions.overlap'],
    ['an unknown option', { scheduleOptions: { retries: 1 } }, 'scheduleOptions.retries'],
    ['an unknown field', { cron: '@daily' }, 'cron'],
    ['an unknown run option', { runOptions: { speed: 9 } }, 'runOptions.speed'],
    [
      'a notebook that does not exist',
      { executionTemplate: { inputNotebookFile: missing } },
      'executionTemplate.inputNotebookFile',
    ],
    [
      'parameters that are no mapping',
      { executionTemplate: { parameters: '[1' } },
      'executionTemplate.parameters',
    ],
  ];
  for (const [title, changes, field] of refused) {
    it(`refuses ${title} before anything is created`, async () => {
      const error = errorOf(await client.create('refused', changes));
      assert.deepEqual([error.code, error.status, error.field], [400, 'INVALID_ARGUMENT', field]);
      assert.ok(!fs.existsSync(client.file('refused', '')));
    });
  }

  it('refuses a kernel that does not exist, and an invalid id', async () => {
    const kernel = errorOf(await client.create('refused', { executionTemplate: { kernelSpec: 'julia' } }));
    assert.deepEqual([kernel.code, kernel.reason], [400, 'kernelNotFound']);
    assert.equal(errorOf(await client.create('No%20Id')).field, 'scheduleId');
  });

  it('accepts names, steps, L, # and nicknames', async () => {
    const patterns = ['*/7 8-18 * * MON-FRI', '0 0 L * *', '0 9 * * 5#2', '0 9 * JAN,JUL FRI#L', '@daily'];
    for (const [index, cronSchedule] of patterns.entries()) {
      assert.equal((await client.create(`accepted-${index}`, { cronSchedule })).code, 200, cronSchedule);
      assert.equal((await client.get(`accepted-${index}`)).state, 'ENABLED');
    }
  });

  it('changes only the fields of the mask', async () => {
    await client.create('changed', {
      executionTemplate: { parameters: '{"a": 1}' },
      scheduleOptions: { maxRuns: 3, missed: 'runAll' },
    });
    const answer = await client.patch('changed', 'cronSchedule,scheduleOptions.max_runs', {
      cronSchedule: '0 7 * * *',
      timeZone: 'UTC',
      scheduleOptions: { maxRuns: 4, missed: 'skip' },
    });
    assert.equal(answer.code, 200);
    const schedule = await client.get('changed');
    assert.equal(schedule.cronSchedule, '0 7 * * *');
    assert.equal(schedule.timeZone, 'Europe/Berlin');
    assert.deepEqual(schedule.scheduleOptions, { maxRuns: 4, missed: 'runAll' });
    await client.patch('changed', 'scheduleOptions.maxRuns', {});
    assert.deepEqual((await client.get('changed')).scheduleOptions, { missed: 'runAll' });
    assert.equal(schedule.executionTemplate?.parameters, '{"a": 1}');
  });

  const masks: [title: string, mask: string, body: unknown, field: string][] = [
    ['no mask', '', { cronSchedule: '@daily' }, 'updateMask'],
    ['a mask for a field that is output', 'state', { state: 'PAUSED' }, 'updateMask'],
    ['a mask for a field that does not exist', 'runOptions.sped', {}, 'updateMask'],
    ['a mask into a prototype', 'runOptions.__proto__', {}, 'updateMask'],
    ['bad cron', 'cronSchedule', { cronSchedule: 'x' }, 'cronSchedule'],
    [
      'removing the notebook',
      'executionTemplate.inputNotebookFile',
      {},
      'executionTemplate.inputNotebookFile',
    ],
    [
      'another end in the past',
      'scheduleOptions',
      { scheduleOptions: { endTime: '2020-01-01T00:00:00Z' } },
      'scheduleOptions.endTime',
    ],
  ];
  for (const [title, mask, body, field] of masks) {
    it(`a change is refused with ${title}`, async () => {
      await client.create('masked');
      const before = await client.get('masked');
      const error = errorOf(await client.patch('masked', mask, body));
      assert.deepEqual([error.code, error.field], [400, field]);
      assert.deepEqual(await client.get('masked'), before);
    });
  }

  it('pauses and resumes', async () => {
    await client.create('paused');
    const paused = await client.call('paused', 'pause');
    assert.equal(paused.body['state'], 'PAUSED');
    const { scheduleStatus } = await client.get('paused');
    assert.equal(scheduleStatus?.reason, 'pausedByUser');
    assert.equal(scheduleStatus.nextRunTime, undefined);
    assert.equal((await client.call('paused', 'resume')).body['state'], 'ENABLED');
    assert.equal(errorOf(await client.call('paused', 'pause', { now: true })).field, 'now');
    assert.equal((await client.call('paused', 'stop')).code, 404);
  });

  it('a triggered run works while paused, is not counted, and is not repeated by a repeated request', async () => {
    await client.create('now', { executionTemplate: { parameters: '{"fake": "wait"}' } });
    await client.call('now', 'pause');
    for (let time = 0; time < 2; time++) {
      const answer = await client.call('now', 'trigger', {}, '?executionId=now-one');
      assert.equal(answer.code, 200);
      assert.equal((answer.body['response'] as Record<string, unknown>)['name'], `${NAME}/now`);
    }
    // A run that has not ended does not prevent it.
    await client.call('now', 'trigger', { parameters: '{"fake": "succeed"}' });
    const [one, two, ...more] = (await client.runs('now')).map(({ name, runStatus, executionTemplate }) => ({
      name,
      schedule: runStatus?.schedule,
      parameters: executionTemplate?.parameters,
    }));
    assert.ok(one !== undefined && two !== undefined);
    assert.ok(one.name.endsWith('/now-one'));
    assert.match(two.name, /\/now-now-[0-9a-f]{8}$/);
    assert.deepEqual(more, []);
    assert.deepEqual(one.schedule, { name: `${NAME}/now` });
    assert.equal(two.parameters, '{"fake": "succeed"}');
    const schedule = await client.get('now');
    assert.equal(schedule.scheduleStatus?.startedRuns, 0);
    assert.deepEqual(
      schedule.recentExecutions?.map(({ name }) => name),
      [two.name, one.name],
    );
    client.service.go('now-one');
    await client.service.ended('now-one');
  });

  it('keeps variables in a file that only this user can read, and does not return them', async () => {
    await client.create('secret', {
      runOptions: {
        environment: {
          ...(client.body()['runOptions'] as { environment: object }).environment,
          TOKEN: 'geheim',
        },
      },
    });
    assert.ok(!JSON.stringify(await client.get('secret')).includes('geheim'));
    assert.ok(!fs.readFileSync(client.file('secret', 'schedule.json'), 'utf8').includes('geheim'));
    if (process.platform !== 'win32')
      assert.equal(fs.statSync(client.file('secret', 'environment.json')).mode & 0o777, 0o600);
    // A change of the options keeps them, because clients cannot know them.
    await client.patch('secret', 'runOptions', { runOptions: { timeout: 60 } });
    const environment = fs.readFileSync(client.file('secret', 'environment.json'), 'utf8');
    assert.ok(environment.includes('geheim'));
    await client.call('secret', 'trigger', { parameters: '{"fake": "wait"}' }, '?executionId=secret-run');
    await client.service.running('secret-run');
    client.service.go('secret-run');
    assert.equal((await client.service.ended('secret-run')).runOptions?.timeout, 60);
    await client.patch('secret', 'runOptions.environment', {
      runOptions: { environment: (client.body()['runOptions'] as { environment: object }).environment },
    });
    assert.ok(!fs.readFileSync(client.file('secret', 'environment.json'), 'utf8').includes('geheim'));
  });

  it('runs the current file, or its copy from the creation of the schedule', async () => {
    const input = path.join(client.service.folder, 'edited.ipynb');
    fs.writeFileSync(input, NOTEBOOK);
    const executionTemplate = { inputNotebookFile: pathToFileURL(input).href };
    await client.create('current', { executionTemplate });
    await client.create('snapshot', { executionTemplate, scheduleOptions: { notebook: 'snapshot' } });
    const edited = NOTEBOOK.replace(
      '"cells":[]',
      '"cells":[{"cell_type":"markdown","id":"a","metadata":{},"source":"new"}]',
    );
    fs.writeFileSync(input, edited);
    for (const id of ['current', 'snapshot']) {
      await client.call(id, 'trigger', {}, `?executionId=${id}-run`);
      const run = await client.service.ended(`${id}-run`);
      assert.equal(run.runOptions?.source, pathToFileURL(input).href);
    }
    assert.equal(fs.readFileSync(client.service.file('current-run', 'input.ipynb'), 'utf8'), edited);
    assert.equal(fs.readFileSync(client.service.file('snapshot-run', 'input.ipynb'), 'utf8'), NOTEBOOK);
  });

  it('an unreadable schedule is listed with its name, stays unchanged, and can be deleted', async () => {
    await client.create('damaged');
    const file = client.file('damaged', 'schedule.json');
    await client.service.kill();
    fs.writeFileSync(file, '{"version": 7');
    client = new ScheduleClient(await TestService.start(client.service.folder));
    const list = await client.service.request('GET', `${PARENT}/schedules`);
    assert.deepEqual(list.body['unreachable'], [`${NAME}/damaged`]);
    assert.equal(errorOf(await client.create('damaged')).reason, 'alreadyExists');
    assert.equal(fs.readFileSync(file, 'utf8'), '{"version": 7');
    assert.equal((await client.service.request('DELETE', `${PARENT}/schedules/damaged`)).code, 200);
    assert.ok(!fs.existsSync(file));
  });
});
