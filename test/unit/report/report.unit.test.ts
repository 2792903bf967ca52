import assert from 'node:assert/strict';
import { bodyOf, code, data, markdown, reportOf, stream } from './sample';

const PNG = 'iVBORw0KGgo=';
const bodyWith = (...cells: Parameters<typeof reportOf>[0]): string => bodyOf(reportOf(cells));

describe('a report', () => {
  it('shows Markdown with tables, code and images of attachments', () => {
    const body = bodyWith(
      markdown(
        '# Sales\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```python\nimport os\n```\n\n~~old~~ <kbd>K</kbd>',
      ),
      markdown('![chart](attachment:my%20chart.png)', { 'my chart.png': { 'image/png': `${PNG}\n` } }),
      markdown('![far](https://example.com/x.png)'),
    );
    assert.match(body, /<h1>Sales<\/h1>/);
    assert.match(body, /<td style="text-align:\s*right">2<\/td>/);
    assert.match(body, /<span class="hljs-keyword">import<\/span>/);
    assert.match(body, /<s>old<\/s> <kbd>K<\/kbd>/);
    assert.ok(body.includes(`<img src="data:image/png;base64,${PNG}" alt="chart"`));
    assert.match(body, /<em>NO IMAGE far<\/em>/);
  });

  it('shows formulas, and leaves prices alone', () => {
    const body = bodyWith(
      markdown('Inline $a_1 * b_2 * c$ and $$\\frac12$$ costs $5 and $6, \\$7.'),
      markdown('$$\nx^2 \\\\\ny\n$$\n\ntext\n\n\\begin{align}\na &= b\\\\\nc &= d\n\\end{align}'),
      markdown('`$code$` and $\\unknown{$'),
      code('', data({ 'text/latex': '$\\displaystyle \\sqrt{x}$', 'text/plain': 'sqrt(x)' })),
    );
    assert.equal(body.match(/<math/g)?.length, 5);
    assert.match(body, /costs \$5 and \$6, \$7\./);
    assert.match(body, /<code>\$code\$<\/code>/);
    assert.match(body, /<code class="tex">\\unknown\{<\/code>/);
    assert.match(body, /<msqrt>/);
    assert.match(body, /<mtable/);
  });

  it('shows code in colours, or leaves it out', () => {
    const cells = [code('for x in y:\n    print("<b>")', stream('out'))];
    const body = bodyOf(reportOf(cells));
    assert.match(body, /<span class="hljs-keyword">for<\/span>/);
    assert.match(body, /&lt;b&gt;/);
    const without = bodyOf(reportOf(cells, { code: false }));
    assert.doesNotMatch(without, /print|class="source"/);
    assert.match(without, /<pre class="stream">out<\/pre>/);
  });

  it('shows the colours of a terminal, and what overwrites', () => {
    const body = bodyWith(
      code(
        '',
        stream(
          '\x1b[1;31mred\x1b[0m \x1b[38;5;208morange\x1b[0m\n10%\r100%\n\x1b[2Kok\x1b]8;;javascript:1\x07x',
        ),
      ),
      code('', {
        ...{ output_type: 'error', ename: 'ValueError', evalue: 'bad' },
        traceback: ['\x1b[31mValueError\x1b[0m: bad'],
      }),
      code('', { output_type: 'error', ename: 'ValueError', evalue: 'no traceback', traceback: [] }),
    );
    assert.match(body, /<span [^>]*class="ansi-red-fg">red<\/span>/);
    assert.match(body, /orange<\/span>\n100%\n/);
    assert.match(body, /<pre class="error"><span class="ansi-red-fg">ValueError<\/span>: bad<\/pre>/);
    assert.match(body, /<pre class="error">ValueError: no traceback<\/pre>/);
    assert.doesNotMatch(body, /\x1b|javascript/); // eslint-disable-line no-control-regex -- colours start with one
  });

  it('shows the richest type of a result', () => {
    const frame =
      '<div><style scoped>td {}</style><table class="dataframe"><tr><td>1</td></tr></table></div>';
    const body = bodyWith(
      code('', data({ 'text/plain': 'plain 1', 'text/html': frame })),
      code(
        '',
        data({ 'text/plain': 'plain 2', 'image/png': PNG }, { 'image/png': { width: 40, height: 30 } }),
      ),
      code('', data({ 'text/plain': 'plain 3', 'text/markdown': '**bold**', 'text/latex': '$x$' })),
      code('', data({ 'text/plain': 'plain 4' })),
      code('', data({ 'application/json': { a: [1, 2] } })),
      code('', data({ 'application/x-unknown': 1 })),
      code('', data({ 'image/png': 'no base64!', 'text/plain': 'plain 5' })),
    );
    assert.match(body, /<table class="dataframe"><tr><td>1<\/td>/);
    assert.match(body, /alt="PICTURE" width="40" height="30">/);
    assert.match(body, /<strong>bold<\/strong>/);
    assert.deepEqual(body.match(/plain \d/g), ['plain 4', 'plain 5']);
    assert.match(body, /UNSUPPORTED application\/x-unknown/);
  });

  it('trims what is very long, between lines, with a sentence', () => {
    const lines = Array.from({ length: 200_000 }, (_, line) => `line ${String(line)}\n`).join('');
    const body = bodyWith(code('', stream(lines), data({ 'text/html': `<p>${'x'.repeat(3_000_000)}` })));
    assert.match(body, /line 0\n/);
    assert.match(body, /line 199999\n/);
    const [, left] = /line \d+\n<em class="note">TRIMMED (\d+)<\/em>\nline \d+\n/.exec(body) ?? [];
    assert.equal(Number(left) > 1_000_000, true);
    assert.match(body, /x<\/p><\/div><p class="note">TRIMMED 1000003<\/p>/);
  });

  describe('with charts', () => {
    const chart = '<div id="c"></div><script>Plotly.newPlot("c", [], {}) // </scr' + 'ipt></script>';
    const bundle = { 'text/html': chart, 'application/vnd.plotly.v1+json': {}, 'text/plain': 'Figure' };
    const library = { 'text/html': '<script>/* plotly.js */</script>' };

    it('shows their image without scripts, or says how to see them', () => {
      const body = bodyWith(
        code('', data(library)),
        code('', data({ ...bundle, 'image/png': PNG })),
        code('', data(bundle)),
        code('', data({ 'application/vnd.vegalite.v5+json': {}, 'text/plain': 'alt.Chart(...)' })),
      );
      assert.equal(body.match(/<img /g)?.length, 1);
      assert.equal(body.match(/CHART/g)?.length, 2);
      assert.doesNotMatch(body, /<script/);
    });

    it('has their scripts on request only, as data for a frame', () => {
      const report = reportOf([code('', data(library)), code('', data(bundle))], { interactive: true });
      const body = bodyOf(report);
      const texts = [...body.matchAll(/<script type="application\/json">([^<]*)<\/script>/g)];
      assert.deepEqual(
        texts.map(([, json = '']) => JSON.parse(json) as string),
        [library['text/html'], chart],
      );
      assert.doesNotMatch(report, /<iframe/);
      assert.match(report, /frame\.sandbox = 'allow-scripts';/);
      assert.doesNotMatch(report, /connect-src|allow-same-origin/);
    });

    it('runs no other scripts', () => {
      const html = '<p>shown</p><script>alert(1)</script>';
      const body = bodyOf(reportOf([code('', data({ 'text/html': html }))], { interactive: true }));
      assert.match(body, /<p>shown<\/p>/);
      assert.doesNotMatch(body, /<script|alert/);
    });
  });
});
