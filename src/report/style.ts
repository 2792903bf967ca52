/** The style sheet of a report: light and dark as the reader prefers, light on paper. */
export const STYLE = `
:root {
  color-scheme: light;
  --text: #1f2328; --muted: #59636e; --background: #fff; --box: #f6f8fa; --line: #d1d9e0; --link: #0550ae;
  --error: #fff0ee; --keyword: #8250df; --string: #0a5c2b; --number: #0550ae; --comment: #59636e; --name: #953800;
  --black: #24292f; --red: #b3261e; --green: #116329; --yellow: #7d4e00; --blue: #0550ae; --magenta: #8250df;
  --cyan: #0b6b75; --white: #59636e;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    color-scheme: dark;
    --text: #e6edf3; --muted: #9da7b1; --background: #0f1318; --box: #171c23; --line: #343c46; --link: #79b8ff;
    --error: #3a1c1c; --keyword: #d2a8ff; --string: #8ddb8c; --number: #79c0ff; --comment: #9da7b1; --name: #ffb77c;
    --black: #8b949e; --red: #ff8a80; --green: #7ee787; --yellow: #e9c46a; --blue: #79c0ff; --magenta: #d2a8ff;
    --cyan: #76e3ea; --white: #e6edf3;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; color: var(--text); background: var(--background);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
header { margin-bottom: 2rem; border-bottom: 1px solid var(--line); }
header p { color: var(--muted); overflow-wrap: anywhere; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 1.6em 0 .6em; overflow-wrap: anywhere; }
header h1 { margin: 0; }
a { color: var(--link); }
section { margin: 1rem 0; }
img { max-width: 100%; height: auto; }
.output > img { background: #fff; border-radius: 4px; }
pre, code { font: 13.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
pre { margin: .5rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.source, .raw, .rich pre { padding: .7rem .9rem; background: var(--box); border: 1px solid var(--line); border-radius: 6px; }
:not(pre) > code { background: var(--box); padding: .1em .3em; border-radius: 4px; overflow-wrap: anywhere; }
.output { margin: .5rem 0; overflow-x: auto; }
.stderr, .error { padding: .7rem .9rem; background: var(--error); border-radius: 6px; }
.note { color: var(--muted); font-style: italic; }
blockquote { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid var(--line); color: var(--muted); }
hr { border: 0; border-top: 1px solid var(--line); }
.rich { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0; font-size: .9em; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; border: 1px solid var(--line); }
th { background: var(--box); }
table.dataframe td { text-align: right; }
math { font-size: 1.1em; }
math.tml-display { display: block math; margin: .8em 0; overflow-x: auto; overflow-y: hidden; }
.tml-left { text-align: left; } .tml-right { text-align: right; }
.chart iframe { width: 100%; height: 480px; border: 0; border-radius: 4px; background: #fff; }
.hljs-keyword, .hljs-literal, .hljs-operator, .hljs-selector-tag { color: var(--keyword); }
.hljs-string, .hljs-regexp, .hljs-subst { color: var(--string); }
.hljs-number, .hljs-symbol, .hljs-variable, .hljs-attr { color: var(--number); }
.hljs-comment, .hljs-quote { color: var(--comment); font-style: italic; }
.hljs-title, .hljs-built_in, .hljs-type, .hljs-meta, .hljs-name { color: var(--name); }
${['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']
  .map(
    (name) =>
      `.ansi-${name}-fg, .ansi-bright-${name}-fg { color: var(--${name}); } ` +
      `.ansi-${name}-bg, .ansi-bright-${name}-bg { background: color-mix(in srgb, var(--${name}) 25%, transparent); }`,
  )
  .join('\n')}
@media print {
  body { font-size: 11pt; }
  main { max-width: none; padding: 0; }
  h1, h2, h3, h4 { break-after: avoid; }
  img, tr, math { break-inside: avoid; }
  thead { display: table-header-group; }
  .output, .rich { overflow: visible; }
  a { color: inherit; }
}
`;
