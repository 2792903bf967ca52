import assert from 'node:assert/strict';
import { describeSetting, diagnosticsReport, LOG_LINES } from '../../../src/execution/diagnostics';

/** None of these may appear in a report, wherever it was. */
const PLANTED = {
  setting: 'planted-endpoint-user',
  templateParameter: 'planted-parameter-value',
  templateLabel: 'planted-label-name',
  endCommand: 'planted-end-command',
  keyFile: '/planted/key-file.json',
  logBearer: 'planted.bearer-token',
  logPassword: 'planted-log-password',
  logUrl: 'planted-url-password',
  logKey: 'PLANTEDKEYBYTES',
  errorToken: 'planted-error-token',
  environment: 'planted environment value',
  user: 'planted-person',
};

const report = (logs: Record<string, string> = {}): string =>
  diagnosticsReport({
    introduction: 'What this is.',
    versions: { extension: '1.2.3', system: 'linux x64' },
    settings: {
      openOutput: 'ask',
      spareKernel: false,
      'retention.days': 30,
      defaultTemplate: '',
      endCommand: `notify ${PLANTED.endCommand}`,
      'google.keyFile': PLANTED.keyFile,
      'google.endpoints': { notebooks: `https://${PLANTED.setting}:pw@host/` },
      templates: [
        {
          name: PLANTED.templateLabel,
          service: 'embedded',
          executionTemplate: {
            parameters: `alpha: ${PLANTED.templateParameter}`,
            labels: { [PLANTED.templateLabel]: 'x' },
          },
          runOptions: { environment: { [PLANTED.templateLabel]: PLANTED.templateParameter } },
        },
      ],
    },
    service: {
      build: '1.2.3-abc',
      pid: 1,
      host: 'here',
      startTime: '2026-01-01T00:00:00Z',
      running: 1,
      queued: 2,
      maxConcurrent: 4,
      spare: true,
      executions: 7,
      setAside: [],
    },
    states: { SUCCEEDED: 5, FAILED: 2 },
    errors: { 'vertex/p/l': `401 for {"access_token": "${PLANTED.errorToken}"}` },
    logs: {
      extension: [
        `Authorization: Bearer ${PLANTED.logBearer}`,
        `DB_PASSWORD=${PLANTED.logPassword} python`,
        `connect postgres://me:${PLANTED.logUrl}@db/x`,
        '-----BEGIN PRIVATE KEY-----',
        PLANTED.logKey,
        '-----END PRIVATE KEY-----',
        `said: ${PLANTED.environment}!`,
        `opened /home/${PLANTED.user}/data/executions`,
      ].join('\n'),
      ...logs,
    },
    secrets: [PLANTED.environment, 'a'],
    home: `/home/${PLANTED.user}`,
  });

describe('a report about a problem', () => {
  it('contains the facts for support', () => {
    const text = report();
    for (const wanted of [
      'What this is.',
      '- extension: 1.2.3',
      '- openOutput: ask',
      '- spareKernel: false',
      '- retention.days: 30',
      '- defaultTemplate: not set',
      '- endCommand: set',
      '- templates: {name, service, executionTemplate{parameters, labels}, runOptions{environment}}',
      '- build: 1.2.3-abc',
      '- queued: 2',
      '- SUCCEEDED: 5',
      'opened ~/data/executions',
    ])
      assert.ok(text.includes(wanted), `${wanted}\n${text}`);
  });

  for (const [where, secret] of Object.entries(PLANTED)) {
    it(`contains no secret of: ${where}`, () => {
      assert.ok(!report().includes(secret), report());
    });
  }

  it('contains the end of a log, in a block that the log cannot close', () => {
    const lines = Array.from({ length: 500 }, (_, index) => `line ${String(index)} \`\`\``);
    const text = report({ service: lines.join('\n') });
    assert.ok(!text.includes(`line ${String(499 - LOG_LINES)} `));
    assert.ok(text.includes(`line ${String(500 - LOG_LINES)} `));
    assert.match(text, /````text\nline 300[^]*line 499 ```\n````\n$/);
  });

  it('shows only the type of a setting that may contain anything', () => {
    assert.equal(describeSetting(['*token']), 'set');
    assert.equal(describeSetting([]), 'none');
    assert.equal(describeSetting('always or'), 'set');
  });
});
