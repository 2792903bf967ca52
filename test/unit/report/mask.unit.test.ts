import assert from 'node:assert/strict';
import { MASK, SECRET_PARAMETERS } from '../../../src/execution/secrets/secret-names';
import { JsonNumber } from '../../../src/notebook/json';
import { secretValuesOf } from '../../../src/report/secret-values';
import { bodyOf, code, data, markdown, reportOf, stream } from './sample';

const SECRET = `p"w'<&> ä\\ 7-x`;

function shownOf(text: string, secrets: readonly string[]): string {
  return bodyOf(reportOf([code('', stream(text))], { secrets }));
}

describe('secrets in a report', () => {
  it('are masked in every part', () => {
    const report = reportOf(
      [
        markdown(`text hunter22, **hunter22**, $hunter22$, <b title="hunter22">x</b>`),
        code('password = "hunter22"', stream('hunter22'), stream('hunter22', 'stderr')),
        code(
          '',
          { output_type: 'error', ename: 'hunter22', evalue: 'hunter22', traceback: [] },
          { output_type: 'error', ename: 'E', evalue: '', traceback: ['login("hunter22")'] },
          data({ 'text/html': '<td>hunter22</td>' }),
          data({ 'image/svg+xml': '<svg><text>hunter22</text></svg>' }),
          data({ 'text/plain': 'hunter22' }),
          data({ 'text/latex': '$hunter22$' }),
          data({ 'application/json': { hunter22: ['hunter22'] } }),
          data({ 'application/x-hunter22': 1 }),
          data({ 'text/html': '<div id="a"></div><script>Plotly.newPlot("hunter22")</script>' }),
        ),
        { ...markdown('hunter22'), cell_type: 'raw' },
      ],
      { title: 'hunter22', facts: ['hunter22'], secrets: ['hunter22'], interactive: true },
    );
    assert.doesNotMatch(report, /hunter22/);
    assert.ok(report.includes(MASK));
    for (const [, base64 = ''] of report.matchAll(/base64,([^"]*)/g))
      assert.doesNotMatch(Buffer.from(base64, 'base64').toString(), /hunter22/);
  });

  for (const spelling of [
    SECRET,
    JSON.stringify(SECRET),
    `'p"w\\'<&> ä\\\\ 7-x'`,
    'p\\"w\'<&> \\u00e4\\\\ 7-x',
    'p&quot;w&#39;&lt;&amp;&gt; ä\\ 7-x',
    'p"w&#x27;&lt;&amp;&gt; ä\\ 7-x',
    encodeURIComponent(SECRET),
  ]) {
    it(`are masked in the spelling ${spelling}`, () => {
      const body = shownOf(`before ${spelling} after`, [SECRET]);
      assert.match(body, new RegExp(`before (?:&quot;|')?${MASK}(?:&quot;|')? after`));
    });
  }

  it('are masked where their parts have different colours', () => {
    assert.match(shownOf('\x1b[32mabc-\x1b[0m\x1b[1m123\x1b[0m.', ['abc-123']), new RegExp(`>${MASK}`));
    const html = data({ 'text/html': '<pre><span>abc-</span><span style="color:red">123</span></pre>' });
    assert.doesNotMatch(bodyOf(reportOf([code('', html)], { secrets: ['abc-123'] })), /123/);
  });

  it('are masked line by line if they have several', () => {
    const key = '-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n';
    assert.doesNotMatch(shownOf('key:\n  MIIEvQIBADANBg\n  kqhkiG9w0BAQEF', [key]), /MII|kqh/);
    assert.doesNotMatch(shownOf(`key = ${JSON.stringify(key)}`, [key]), /MII|kqh/);
  });

  it('are masked as whole words if they are short, and with all characters of regular expressions', () => {
    assert.match(shownOf('pin 12 of 120', ['12']), new RegExp(`pin ${MASK} of 120`));
    assert.match(shownOf('a.*+?^${}()|[]/-b axxb', ['a.*+?^${}()|[]/-b']), new RegExp(`>${MASK} axxb<`));
    assert.match(shownOf('nothing is secret', ['', ' ']), /nothing is secret/);
  });

  it('are the values of secret parameters: given, declared and injected, at any depth', () => {
    const parameters = code('token = "declared"\nuser = "known"\nretries = 3');
    parameters.metadata['tags'] = ['parameters'];
    const injected = code('# Parameters\napi_key = "injected"\nregion = "eu"');
    injected.metadata['tags'] = ['injected-parameters'];
    const found = secretValuesOf(
      { metadata: {}, nbformat: 4, nbformat_minor: 5, cells: [parameters, injected] },
      {
        db: { host: 'h', password: 'nested' },
        credentials: { user: 'u', keys: [new JsonNumber('1.50'), 7, true, null, ''] },
        plain: 'x',
      },
      SECRET_PARAMETERS,
    );
    assert.deepEqual(found.sort(), ['1.50', '7', 'declared', 'injected', 'nested', 'u']);
  });
});
