/*
 * Charts that bring their own script, as Plotly and Vega-Altair write them into `text/html`: with the library in the
 * chart, in an output before it, or on the CDN that the library names. In a report each chart is a frame whose origin
 * is opaque, so that its scripts can read neither the report nor files.
 */

/** A chart, or the library alone that later charts need. */
export type ChartParts = 'chart' | 'library';

/** Hosts that Plotly and Vega-Altair load their libraries from. */
const LIBRARY_HOSTS = ['https://cdn.plot.ly', 'https://cdn.jsdelivr.net'];

/** The policy of a report with charts. Vega compiles expressions, which needs `unsafe-eval`. */
export const CHART_POLICY = `script-src 'unsafe-inline' 'unsafe-eval' ${LIBRARY_HOSTS.join(' ')}; worker-src blob:`;

/** What the HTML of an output is; undefined if it is no chart. */
export function chartParts(html: string): ChartParts | undefined {
  if (!/<script\b/i.test(html) || !/plotly|vega/i.test(html)) return undefined;
  return html.replaceAll(/<script\b[^]*?<\/script\s*>/gi, '').trim() === '' ? 'library' : 'chart';
}

/** A place for a chart. The script of the report makes a frame of it. */
export function chartToHtml(html: string, parts: ChartParts): string {
  // JSON in which no tag can begin or end.
  const text = JSON.stringify(html).replaceAll('<', String.raw`\u003c`);
  return `<div class="${parts}"><script type="application/json">${text}</script></div>`;
}

/** Before everything in a frame: reports the height, and gives Plotly 5 the `require` of the classic notebook. */
const FRAME_START = `<!DOCTYPE html><meta charset="utf-8"><style>body{margin:0;background:#fff;color:#000}</style><script>
(() => {
  const modules = {};
  window.define = (name, make) => {
    const module = { exports: {} };
    modules[name] = make(window.require, module.exports, module) ?? module.exports;
  };
  window.require = (names, use) => use?.(...names.map((name) => modules[name] ?? window.Plotly));
  window.require.undef = () => {};
  const report = () => parent.postMessage(Math.ceil(document.documentElement.getBoundingClientRect().height), '*');
  new ResizeObserver(report).observe(document.documentElement);
  // Browsers do not observe what is not on the screen.
  addEventListener('load', report);
})();
</script>`;

/** The only script of a report itself. */
export const CHART_SCRIPT = `<script>
(() => {
  const start = ${JSON.stringify(FRAME_START).replaceAll('<', String.raw`\u003c`)};
  const frames = [];
  let libraries = '';
  for (const place of document.querySelectorAll('.chart, .library')) {
    const html = JSON.parse(place.querySelector('script').textContent);
    if (place.className === 'library') {
      libraries += html;
      continue;
    }
    const frame = document.createElement('iframe');
    frame.sandbox = 'allow-scripts';
    frame.srcdoc = start + libraries + html;
    frames.push(frame);
    place.append(frame);
  }
  addEventListener('message', ({ source, data }) => {
    const frame = frames.find(({ contentWindow }) => contentWindow === source);
    if (frame && data > 0 && data < 10000) frame.style.height = data + 'px';
  });
})();
</script>`;
