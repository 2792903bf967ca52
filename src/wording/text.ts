/*
 * Names, error texts and parameters come from notebooks and from other users, so they are untrusted. Rows and
 * notifications show them through `oneLine`, tooltips through `escapeMarkdown`.
 */

/** Control characters and line and paragraph separators: they would break a row. */
// eslint-disable-next-line no-control-regex -- these are the characters to find
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
/** Directional overrides and isolates (Unicode bidi): they could reorder the surrounding text. */
const DIRECTION = /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
/** Terminal colours (ECMA-48 CSI sequences). */
// eslint-disable-next-line no-control-regex -- an escape sequence begins with a control character
const COLOURS = /\u001b\[[0-?]*[ -/]*[@-~]/g;

/** Untrusted text as one line of at most `longest` characters, with its writing direction isolated. */
export function oneLine(text: string, longest = 200): string {
  // Shorten the text first: a parameter's default may be a megabyte long.
  const start = text.slice(0, longest * 4).replaceAll(COLOURS, '');
  const line = start.replaceAll(DIRECTION, '').replaceAll(CONTROL, ' ').trim();
  const characters = Array.from(line);
  const cut = characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : line;
  return RIGHT_TO_LEFT.test(cut) ? `\u2068${cut}\u2069` : cut;
}

/** Notifications render `[text](command:…)` as a link. Untrusted names and error texts must not become links. */
export function withoutLinks(message: string): string {
  return message.replaceAll('](', '] (');
}

/** Untrusted text with several lines, for tooltips: without colours and control characters. */
export function plainText(text: string, longest = 2000): string {
  const start = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return start
    .replaceAll(COLOURS, '')
    .replaceAll(DIRECTION, '')
    .split(/\r?\n/)
    .map((line) => line.replaceAll(CONTROL, ' '))
    .join('\n');
}

/**
 * Escapes text so that Markdown shows it unchanged, including line breaks. Unlike MarkdownString.appendText, it keeps
 * ordinary spaces, so that long lines wrap, and it prevents automatic links.
 */
export function escapeMarkdown(text: string): string {
  return text
    .replaceAll(/[!-/:-@[-`{-~]/g, '\\$&')
    .split('\n')
    .map((line) => line.replace(/^\s+/, (indent) => '\u00a0'.repeat(indent.length)))
    .join('  \n');
}

/** A duration in at most two units: `40 ms`, `0.8 s`, `12 s`, `3 min 07 s`, `6 h`, `1 h 04 min`, `2 d 3 h`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 0.1) return `${Math.round(seconds * 1000).toFixed(0)} ms`;
  if (seconds < 1) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(minutes / 60);
  const pad = (value: number) => String(value).padStart(2, '0');
  if (minutes === 0) return `${String(whole)} s`;
  if (hours === 0) return withRest(`${String(minutes)} min`, whole % 60, `${pad(whole % 60)} s`);
  if (hours < 24) return withRest(`${String(hours)} h`, minutes % 60, `${pad(minutes % 60)} min`);
  return withRest(`${String(Math.floor(hours / 24))} d`, hours % 24, `${String(hours % 24)} h`);
}

/** Leaves out a rest of 0, so that a limit is `6 h` and not `6 h 00 min`. */
function withRest(text: string, rest: number, restText: string): string {
  return rest === 0 ? text : `${text} ${restText}`;
}

/** A size: `512 B`, `12 KB`, `3.4 MB`; units of 1024 bytes, named as VS Code does. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'KB', 'MB', 'GB']) {
    if (value < 1024 || unit === 'GB')
      return `${value < 10 && unit !== 'B' ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
    value /= 1024;
  }
  return '';
}

/** Time since a moment, in its largest unit: `5 min ago`, `yesterday`; the date after a week. */
export function formatAge(time: number, now: number, language: string): string {
  const minutes = Math.max(0, Math.floor((now - time) / 60_000));
  const days = daysBetween(time, now);
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'narrow' });
  if (minutes === 0) return relative.format(0, 'second');
  if (minutes < 60) return relative.format(-minutes, 'minute');
  if (days === 0 || minutes < 6 * 60) return relative.format(-Math.floor(minutes / 60), 'hour');
  return days < 7 ? relative.format(-days, 'day') : formatDay(time, now, language);
}

/** A calendar day: `Today`, `Yesterday`, `Monday`, `3 November`, `3 November 2025`. */
export function formatDay(time: number, now: number, language: string): string {
  const days = daysBetween(time, now);
  if (days === 0 || days === 1) {
    const day = new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(-days, 'day');
    return day.charAt(0).toLocaleUpperCase(language) + day.slice(1);
  }
  const date = new Date(time);
  if (days > 0 && days < 7) return new Intl.DateTimeFormat(language, { weekday: 'long' }).format(date);
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  const year = sameYear ? {} : ({ year: 'numeric' } as const);
  return new Intl.DateTimeFormat(language, { day: 'numeric', month: 'long', ...year }).format(date);
}

/** Calendar days between two times, in this machine's time zone. */
function daysBetween(time: number, now: number): number {
  const dayOf = (each: number) => new Date(each).setHours(0, 0, 0, 0);
  // Rounded, because a day on which the clocks change has 23 or 25 hours.
  return Math.round((dayOf(now) - dayOf(time)) / (24 * 60 * 60 * 1000));
}

/** Date and time of day with seconds. */
export function formatMoment(time: number, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(time);
}

/** A time of day, with the date if it is not today. */
export function formatTime(time: number, now: number, language: string): string {
  const date = new Date(time);
  const clock = new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' }).format(date);
  if (date.toDateString() === new Date(now).toDateString()) return clock;
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  const day = new Intl.DateTimeFormat(language, {
    day: 'numeric',
    month: 'short',
    ...(sameYear ? {} : { year: 'numeric' }),
  }).format(date);
  return `${day}, ${clock}`;
}

/** Untrusted text as the label of a picker item: one line, with `$(icon)` escaped. */
export function label(text: string, longest?: number): string {
  return oneLine(text, longest).replaceAll('$(', '\\$(');
}
