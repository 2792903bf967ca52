import type { ServiceInfo } from './machine';
import { redact } from './secrets/redaction';

/** Contents of a report about a problem. */
export interface DiagnosticsFacts {
  /** What the report contains and what it leaves out, in the user's language. */
  readonly introduction: string;
  /** Versions by name of the component. */
  readonly versions: Readonly<Record<string, string>>;
  /** Settings by name; {@link describeSetting} decides what the report says of each. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The service's own information, or why there is none; undefined if no service runs. */
  readonly service: ServiceInfo | string | undefined;
  /** Number of executions in each state, as far as this window knows. */
  readonly states: Readonly<Record<string, number>>;
  /** Errors of requests to services, by service. */
  readonly errors: Readonly<Record<string, string>>;
  /** The last lines of logs, by name. */
  readonly logs: Readonly<Record<string, string>>;
  /** Texts that must not appear in the report, such as values of secret environment variables. */
  readonly secrets: readonly string[];
  /** The user's home folder; its path contains the user's name. */
  readonly home: string;
}

/** Number of lines kept of each log. */
export const LOG_LINES = 200;
/** Shorter texts are not replaced: they are likely to be ordinary words, and the report would become unreadable. */
const SHORTEST_SECRET = 6;

/** The report as Markdown. Secrets are replaced in every part of it. */
export function diagnosticsReport(facts: DiagnosticsFacts): string {
  const { introduction, versions, settings, service, states, errors, logs } = facts;
  const about = typeof service === 'string' ? { error: service } : (service ?? { running: 'no service' });
  const sections = [
    '# Notebook Executions: diagnostics',
    introduction,
    section('Versions', table(versions)),
    section(
      'Settings',
      table(
        Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, describeSetting(value)])),
      ),
    ),
    section('Service', table(about)),
    section('Executions by state', table(states)),
    section('Errors of services', table(errors)),
    ...Object.entries(logs).map(([name, text]) => section(`Log of the ${name}`, fenced(lastLines(text)))),
  ];
  return `${conceal(sections.join('\n\n'), facts)}\n`;
}

/**
 * A setting without private content: numbers, booleans and `always`, `ask`, `never` unchanged; of anything else only
 * whether it is set and the names of its fields.
 */
export function describeSetting(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === undefined || value === null || value === '') return 'not set';
  if (Array.isArray(value))
    return value.length === 0 ? 'none' : value.map((item) => shapeOf(item)).join('; ');
  if (typeof value === 'object') return shapeOf(value);
  return typeof value === 'string' && /^(?:always|ask|never)$/.test(value) ? value : 'set';
}

/** Field names without values. */
function shapeOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'set';
  const names = Object.entries(value).map(([name, entry]: [string, unknown]) => {
    // Names of a template's parameters, labels and variables are the user's data, too.
    const known = name === 'executionTemplate' || name === 'runOptions';
    return known && typeof entry === 'object' ? `${name}${shapeOf(entry)}` : name;
  });
  return `{${names.join(', ')}}`;
}

function conceal(text: string, { secrets, home }: DiagnosticsFacts): string {
  let concealed = text;
  for (const secret of secrets)
    if (secret.length >= SHORTEST_SECRET) concealed = concealed.replaceAll(secret, '***');
  if (home.length > 1) concealed = concealed.replaceAll(home, '~');
  return redact(concealed);
}

function section(title: string, body: string): string {
  return `## ${title}\n\n${body}`;
}

function table(rows: object): string {
  const lines = Object.entries(rows).map(([name, value]: [string, unknown]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `- ${name}: ${text.replaceAll(/\s+/g, ' ')}`;
  });
  return lines.length === 0 ? '- none' : lines.join('\n');
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-LOG_LINES).join('\n');
}

/** A fenced code block; the fence is longer than any run of backticks in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
