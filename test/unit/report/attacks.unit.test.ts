import assert from 'node:assert/strict';
import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import { CHART_SCRIPT } from '../../../src/report/charts';
import { code, data, markdown, reportOf, stream } from './sample';

/** Attempts to run a script, to load something, or to leave the report. */
const ATTACKS = [
  '<script>alert(1)</script>',
  '<SCRIPT SRC=//evil.example/x.js></SCRIPT>',
  '<scr<script>ipt>alert(1)</scr</script>ipt>',
  '<img src=x onerror=alert(1)>',
  '<img src="https://evil.example/pixel.png">',
  '<img src="data:text/html,<script>alert(1)</script>">',
  '<img srcset="https://evil.example/a.png 2x" src="data:image/png;base64,AAAA">',
  '<b onmouseover="alert(1)" onclick=alert(1)>bold</b>',
  '<a href="javascript:alert(1)">link</a>',
  '<a href="JaVa\tScRiPt:alert(1)">link</a>',
  '<a href="&#106;avascript:alert(1)">link</a>',
  '<a href="data:text/html,<script>alert(1)</script>">link</a>',
  '<a href="vbscript:x">link</a>',
  '<a href="//evil.example">link</a>',
  '<svg onload=alert(1)><script>alert(1)</script></svg>',
  '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
  '<svg><foreignObject><iframe src="javascript:alert(1)"></iframe></foreignObject></svg>',
  '<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)></style></mglyph></math>',
  '<div style="background:url(https://evil.example/x.png)">x</div>',
  '<div style="background-image:url(javascript:alert(1)); position:fixed; inset:0; color:red">x</div>',
  '<div style="width: expression(alert(1)); behavior: url(x); -moz-binding: url(x)">x</div>',
  '<style>@import "https://evil.example/x.css"; body { display: none }</style>',
  '<link rel=stylesheet href="https://evil.example/x.css">',
  '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  '<base href="https://evil.example/">',
  '<iframe src="javascript:alert(1)"></iframe><iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<object data="data:text/html,<script>alert(1)</script>"></object><embed src="javascript:alert(1)">',
  '<form action="https://evil.example"><input name=x><button formaction="javascript:alert(1)">b</button></form>',
  '<video src="https://evil.example/v" onerror=alert(1)><source onerror=alert(1)></video>',
  '<body onload=alert(1)><table background="https://evil.example/x"><tr><td>x</td></tr></table>',
  '<!--><img src=x onerror=alert(1)>-->',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<textarea><img title="</textarea><img src=x onerror=alert(1)>"></textarea>',
  '<template><script>alert(1)</script></template>',
  '</section></main><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '<a id=location name=cookie href="#x">clobbering</a>',
  '<details open ontoggle=alert(1)>x</details>',
  '<p class="source error chart library">classes of the report</p>',
];
/** What Markdown alone makes of a text. */
const IN_MARKDOWN = [
  '[link](javascript:alert(1))',
  '[link](<java\nscript:alert(1)>)',
  '![image](javascript:alert(1))',
  '![image](https://evil.example/x.png "title")',
  '![a" onerror="alert(1)](data:image/png;base64,AAAA)',
  '<javascript:alert(1)>',
  '[a]: javascript:alert(1)\n\n[a]',
  '```"><script>alert(1)</script>\ncode\n```',
  String.raw`$\href{javascript:alert(1)}{x} \text{<img src=x onerror=alert(1)>}$`,
  String.raw`$\includegraphics{https://evil.example/x.png} \htmlStyle{position:fixed}{x} \class{source}{x}$`,
  '$<script>alert(1)</script>$',
  // A formula in an attribute that a block leaves open.
  '<div title="\n\n$\\text{ onmouseover=alert(1) }$\n\n">x</div>',
  '\ue0000\ue001 <b title="\ue0000\ue001">$x$</b>',
];

/** Elements and attributes that a report without scripts may have. */
const SAFE_ATTRIBUTES =
  /^(?:class|style|href|rel|src|alt|title|align|valign|dir|lang|width|height|colspan|rowspan|scope|span|border|cellpadding|cellspacing|start|type|reversed|value|open|color|size|min|max|display|displaystyle|fence|form|stretchy|lspace|rspace|separator|accent|mathvariant|mathcolor|mathbackground|voffset|depth|minsize|maxsize|scriptlevel|linethickness|columnalign|rowspacing|columnspacing|xmlns|symmetric|largeop|movablelimits|columnlines|rowlines|encoding|notation)$/;
const UNSAFE_ELEMENTS =
  /^(?:script|style|link|meta|base|iframe|frame|frameset|object|embed|applet|form|input|button|textarea|select|svg|video|audio|source|template|noscript|title|body|html|head|foreignobject|maction|mglyph)$/;

/** Elements of the report itself. */
const OWN = ['html', 'head', 'meta', 'meta', 'meta', 'meta', 'meta', 'title', 'style', 'body'];

/** What would run or load if a browser read this document. */
function dangersIn(report: string): string[] {
  const found: string[] = [];
  const unsafe: string[] = [];
  const visit = (node: DefaultTreeAdapterTypes.ChildNode): void => {
    if (!('tagName' in node)) return;
    const { tagName: tag, attrs } = node;
    if (UNSAFE_ELEMENTS.test(tag.toLowerCase())) unsafe.push(tag);
    if (!/^(?:html|meta)$/.test(tag))
      found.push(...attrs.flatMap(({ name, value }) => wrongWith(tag, name, value)));
    node.childNodes.forEach(visit);
  };
  parse(report.replace(CHART_SCRIPT, '')).childNodes.forEach(visit);
  if (unsafe.join() !== OWN.join()) found.push(`elements ${unsafe.join()}`);
  return found;
}

function wrongWith(tag: string, name: string, value: string): string[] {
  const isWrong =
    !SAFE_ATTRIBUTES.test(name) ||
    (name === 'href' && !/^(?:https?:\/\/|mailto:|#|[\w./-]*$)/.test(value)) ||
    (name === 'src' && !value.startsWith('data:image/')) ||
    (name === 'style' && /url|expression|position|inset|behavior|binding|@/i.test(value)) ||
    (name === 'class' && !/^(?:pre|div)$/.test(tag) && /\b(?:source|error|chart|library)\b/.test(value));
  return isWrong ? [`${tag}.${name}=${value}`] : [];
}

describe('a report of a hostile notebook', () => {
  for (const attack of [...ATTACKS, ...IN_MARKDOWN]) {
    it(`is harmless with ${JSON.stringify(attack)}`, () => {
      const places = [
        reportOf([markdown(attack), markdown(`text ${attack} text\n\n| a |\n|---|\n| ${attack} |`)]),
        reportOf([markdown(attack)], { interactive: true }),
        reportOf([code(attack, stream(attack), stream(`\x1b[31m${attack}`, 'stderr'))]),
        reportOf([code('', data({ 'text/html': attack }), data({ 'text/markdown': attack }))]),
        reportOf([code('', data({ 'text/html': attack }))], { interactive: true }),
        reportOf([
          code('', data({ 'text/latex': attack }), data({ 'text/plain': attack, [attack]: attack })),
        ]),
        reportOf([code('', data({ [attack]: attack }), data({ 'application/json': { [attack]: attack } }))]),
        reportOf([code('', data({ 'image/png': attack }, { 'image/png': { width: attack, height: 5 } }))]),
        reportOf([{ ...markdown(attack), cell_type: 'raw' }]),
        reportOf([markdown('![x](attachment:a)', { a: { [`image/png" ${attack}`]: attack } })]),
        reportOf([
          code('', { output_type: 'error', ename: attack, evalue: attack, traceback: [] }),
          code('', { output_type: 'error', ename: 'E', evalue: '', traceback: [`\x1b[1m${attack}\x1b[0m`] }),
        ]),
      ];
      for (const report of places) assert.deepEqual(dangersIn(report), [], report);
    });
    it(`is harmless with a name and facts like ${JSON.stringify(attack)}`, () => {
      const report = reportOf([], { title: attack, facts: [attack], language: attack });
      assert.deepEqual(dangersIn(report), [], report);
    });
  }

  it('is recognised by this test', () => {
    for (const attack of ['<img src=x onerror=alert(1)>', '<a href="javascript:x">', '<script>1</script>'])
      assert.notDeepEqual(dangersIn(reportOf([]).replace('</main>', attack)), []);
  });

  it('has a policy without scripts, before everything that the notebook can influence', () => {
    const report = reportOf([]);
    const policy = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(report);
    assert.match(policy?.[1] ?? '', /^default-src 'none'; /);
    assert.doesNotMatch(policy?.[1] ?? '', /script|http|frame|connect/);
    assert.ok((policy?.index ?? Infinity) < report.indexOf('<title>'));
    assert.doesNotMatch(report, /<script/);
  });

  it('shows drawings as images, in which no script runs', () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
    const report = reportOf([code('', data({ 'image/svg+xml': svg }))]);
    assert.deepEqual(dangersIn(report), []);
    assert.ok(report.includes(`<img src="data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}"`));
  });
});
