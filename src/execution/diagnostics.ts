import type { MachineInfo } from './machine';
import { redact } from './redaction';

/** What a report about a problem is made of. */
export interface DiagnosticsFacts {
  /** What the report has and has not, in the person's language. */
  readonly introduction: string;
  /** Name and version of whatever plays a part. */
  readonly versions: Readonly<Record<string, string>>;
  /** Settings by name; {@link describeSetting} says what is told of each. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The service about itself, or why it does not tell; undefined where none runs. */
  readonly service: MachineInfo | string | undefined;
  /** How many executions are in each state, as far as this window knows. */
  readonly states: Readonly<Record<string, number>>;
  /** What keeps services from being asked, by service. */
  readonly errors: Readonly<Record<string, string>>;
  /** The last lines of logs, by name. */
  readonly logs: Readonly<Record<string, string>>;
  /** Texts that must not be in it, such as values of secret environment variables. */
  readonly secrets: readonly string[];
  /** The person's home folder, which has their name. */
  readonly home: string;
}

/** Lines of each log that are kept. */
export const LOG_LINES = 200;
/** Shorter texts are words rather than secrets: replacing them would take the report apart. */
const SHORTEST_SECRET = 6;

/** The report as Markdown. No secret of the facts is in it, whatever part it stood in. */
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

/** A setting as it may be told: numbers, switches and single words as they are, of everything else what kind it is. */
export function describeSetting(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === undefined || value === null || value === '') return 'not set';
  if (Array.isArray(value))
    return value.length === 0 ? 'none' : value.map((item) => shapeOf(item)).join('; ');
  if (typeof value === 'object') return shapeOf(value);
  return typeof value === 'string' && /^(?:always|ask|never)$/.test(value) ? value : 'set';
}

/** Names without values. */
function shapeOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'set';
  const names = Object.entries(value).map(([name, entry]: [string, unknown]) => {
    // What a template's parameters, labels and variables are called is the person's, too.
    const known = name === 'executionTemplate' || name === 'runOptions';
    return known && typeof entry === 'object' ? `${name}${shapeOf(entry)}` : name;
  });
  return `{${names.join(', ')}}`;
}

function conceal(text: string, { secrets, home }: DiagnosticsFacts): string {
  let concealed = text;
  for (const secret of secrets) {
    if (secret.length >= SHORTEST_SECRET) concealed = concealed.replaceAll(secret, '***');
  }
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

/** A block that no line of the text can end. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
