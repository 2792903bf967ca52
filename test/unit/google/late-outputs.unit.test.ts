import assert from 'node:assert/strict';
import { BUCKET, LOCATION, PROJECT } from '../../support/google/cloud';
import { OUTPUTS } from '../../support/google/job-run';
import { until } from '../../support/until';
import { MovableClock, moment, NOTEBOOK, nextId, requestOf, suiteOfCloud } from './cloud-suite';
import { cellOf, notebookOf, parseNotebook, readText, untilEnded } from './support';

describe('outputs that appear after the end of the run', function () {
  this.timeout(60_000);
  const cloud = suiteOfCloud();
  afterEach(() => {
    OUTPUTS.appear = undefined;
  });

  for (const kind of ['vertex', 'notebooks'] as const) {
    describe(kind, () => {
      const start = () => {
        const appears = moment();
        OUTPUTS.appear = appears.reached;
        const clock = new MovableClock();
        const service = cloud.google({ clock }).service(kind, PROJECT, LOCATION);
        const id = nextId();
        const appear = async (): Promise<void> => {
          appears.reach();
          const isOutput = (name: string) => name.startsWith(`runs/${id}/`) && !name.includes('/input/');
          await until('the output is there', async () => (await cloud.storage.names(BUCKET)).some(isOutput));
        };
        return { service, clock, id, appear };
      };

      it('are found by a list, with the cell that failed', async () => {
        cloud.outcome = (input) => {
          const notebook = parseNotebook(input);
          cellOf(notebook, 1).outputs = [
            { output_type: 'error', ename: 'ValueError', evalue: 'too small', traceback: [] },
          ];
          const output = Buffer.from(JSON.stringify(notebook));
          return Promise.resolve({ state: 'FAILED', message: 'It failed.', output });
        };
        const { service, clock, id, appear } = start();
        const { name } = await service.create(id, requestOf(), { notebook: notebookOf('a', 'b') });
        const ended = await untilEnded(service, name);
        assert.equal(ended.runStatus?.cause, 'serviceError');
        const listed = async () => (await service.list({})).executions.find((each) => each.name === name);
        await appear();
        assert.equal((await listed())?.runStatus?.cause, 'serviceError', 'not looked for at once');
        clock.passed = 11_000;
        const found = await listed();
        assert.deepEqual([found?.runStatus?.cause, found?.runStatus?.cell?.index], ['cellError', 1]);
        assert.match(found?.outputNotebookFile ?? '', /My Sales/);
      });

      it('are checked only a few times', async () => {
        const { service, clock, id } = start();
        const { name } = await service.create(id, requestOf(), { notebook: NOTEBOOK });
        await untilEnded(service, name);
        cloud.storage.requests.length = 0;
        for (let hours = 1; hours <= 20; hours += 1) {
          clock.passed = hours * 3_600_000;
          await service.list({});
        }
        const looks = cloud.storage.requests.length;
        assert.ok(looks >= 1 && looks <= 8, `${String(looks)} times`);
      });

      it('are awaited for a moment when they are opened right after the end', async () => {
        const { service, id, appear } = start();
        const { name } = await service.create(id, requestOf(), { notebook: NOTEBOOK });
        const ended = await untilEnded(service, name);
        const reading = service.readOutput(ended);
        await appear();
        assert.match(await readText(await reading), /print\(1\)/);
      });
    });
  }

  it('are found even if execution and job disagree for a while', async () => {
    cloud.notebooks.lagging = true;
    const service = cloud.service('notebooks');
    const { name } = await service.create(nextId(), requestOf(), { notebook: NOTEBOOK });
    await until('its job has ended', () =>
      [...cloud.vertex.customJobs.values()].every(({ run }) => run.terminal),
    );
    assert.equal((await service.get(name)).state, 'RUNNING');
    cloud.notebooks.lagging = false;
    const ended = await service.get(name);
    assert.equal(ended.state, 'SUCCEEDED');
    assert.ok(ended.outputNotebookFile !== undefined);
  });
});
