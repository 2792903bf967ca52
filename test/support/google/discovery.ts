import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../paths';

/*
 * Checks requests and responses against Google's published discovery documents, from the PyPI package
 * google-api-python-client (fields: "Discovery Document" in the API Client Library documentation).
 */

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly readOnly?: boolean;
  readonly required?: boolean;
  readonly repeated?: boolean;
  readonly location?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
}

interface Method {
  readonly id: string;
  readonly httpMethod: string;
  readonly path: string;
  readonly flatPath?: string;
  readonly parameters?: Readonly<Record<string, Schema>>;
  readonly request?: Schema;
  readonly response?: Schema;
  readonly mediaUpload?: { readonly protocols: { readonly simple?: { readonly path: string } } };
}

interface Resource {
  readonly methods?: Readonly<Record<string, Method>>;
  readonly resources?: Readonly<Record<string, Resource>>;
}

interface Document extends Resource {
  readonly servicePath: string;
  readonly parameters: Readonly<Record<string, Schema>>;
  readonly schemas: Readonly<Record<string, Schema>>;
}

/** A request that matches a method of a document. */
export interface CheckedCall {
  /** For example `aiplatform.projects.locations.notebookExecutionJobs.create`. */
  readonly id: string;
  /** Decoded values of the path's variables, in order. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly problems: readonly string[];
  /** Name of the response's schema. */
  readonly answer: string | undefined;
}

interface Route {
  readonly method: Method;
  readonly pattern: RegExp;
  readonly upload: boolean;
}

/** The discovery document of one API. */
export class Discovery {
  private readonly document: Document;
  private readonly routes: readonly Route[];

  /** @param api for example `aiplatform.v1` */
  constructor(api: string) {
    const text = readFileSync(path.join(documentsFolder(), `${api}.json`), 'utf8');
    this.document = JSON.parse(text) as Document;
    this.routes = this.collect(this.document);
  }

  /** Undefined if the API has no such method. */
  check(httpMethod: string, url: URL, body: unknown): CheckedCall | undefined {
    for (const { method, pattern, upload } of this.routes) {
      const match = method.httpMethod === httpMethod ? pattern.exec(url.pathname) : null;
      if (match === null) continue;
      const problems = [
        ...this.checkQuery(method, url.searchParams, upload),
        ...this.checkBody(method, body),
      ];
      const [, ...variables] = match;
      return {
        id: method.id,
        path: variables.map(decodeURIComponent),
        query: url.searchParams,
        problems: problems.map((problem) => `${method.id}: ${problem}`),
        answer: method.response?.$ref,
      };
    }
    return undefined;
  }

  /** Violations of a schema by a value. In a request, output-only fields are violations. */
  checkValue(schemaName: string, value: unknown, direction: 'request' | 'answer'): string[] {
    return this.checkSchema({ $ref: schemaName }, value, schemaName, direction);
  }

  /** All methods, with their paths as `v1/projects/{projectsId}/…`. */
  methods(): readonly { readonly id: string; readonly httpMethod: string; readonly path: string }[] {
    return this.routes.map(({ method }) => ({ ...method, path: method.flatPath ?? method.path }));
  }

  /** Values of an enumeration. */
  enumOf(schemaName: string, property: string): readonly string[] {
    return this.document.schemas[schemaName]?.properties?.[property]?.enum ?? [];
  }

  private collect(resource: Resource): Route[] {
    const own = Object.values(resource.methods ?? {}).flatMap((method): Route[] => {
      const routes = [{ method, pattern: this.patternOf(method.flatPath ?? method.path), upload: false }];
      const simple = method.mediaUpload?.protocols.simple?.path;
      return simple === undefined
        ? routes
        : [...routes, { method, pattern: patternOf(simple), upload: true }];
    });
    return [...own, ...Object.values(resource.resources ?? {}).flatMap((each) => this.collect(each))];
  }

  private patternOf(flatPath: string): RegExp {
    return patternOf(`/${this.document.servicePath}${flatPath}`);
  }

  private checkQuery(method: Method, query: URLSearchParams, upload: boolean): string[] {
    const problems: string[] = [];
    for (const name of new Set(query.keys())) {
      const own = method.parameters?.[name];
      const schema = own?.location === 'query' ? own : this.document.parameters[name];
      if (schema === undefined) {
        if (!(upload && name === 'upload_id')) problems.push(`unknown query parameter ${name}`);
        continue;
      }
      const values = query.getAll(name);
      if (values.length > 1 && schema.repeated !== true) problems.push(`${name} is repeated`);
      for (const value of values) problems.push(...checkText(schema, value, name));
    }
    for (const [name, schema] of Object.entries(method.parameters ?? {})) {
      const missing = schema.location === 'query' && schema.required === true && !query.has(name);
      if (missing) problems.push(`${name} is missing`);
    }
    return problems;
  }

  private checkBody(method: Method, body: unknown): string[] {
    if (method.request === undefined) return body === undefined ? [] : ['takes no body'];
    if (body === undefined) return ['has no body'];
    return this.checkSchema(method.request, body, 'body', 'request');
  }

  private checkSchema(schema: Schema, value: unknown, at: string, direction: 'request' | 'answer'): string[] {
    if (schema.$ref !== undefined) {
      const referred = this.document.schemas[schema.$ref];
      return referred === undefined
        ? [`${at}: no schema ${schema.$ref}`]
        : this.checkSchema(referred, value, at, direction);
    }
    switch (schema.type) {
      case 'object':
        return this.checkObject(schema, value, at, direction);
      case 'array':
        if (!Array.isArray(value)) return [`${at} is no array`];
        return value.flatMap((item, index) =>
          this.checkSchema(schema.items ?? { type: 'any' }, item, `${at}[${String(index)}]`, direction),
        );
      case 'string':
        return typeof value === 'string' ? checkText(schema, value, at) : [`${at} is no string`];
      case 'integer':
        return Number.isInteger(value) && (schema.format !== 'int32' || Math.abs(Number(value)) < 2 ** 31)
          ? []
          : [`${at} is no integer`];
      case 'number':
        return typeof value === 'number' ? [] : [`${at} is no number`];
      case 'boolean':
        return typeof value === 'boolean' ? [] : [`${at} is no boolean`];
      case 'any':
        return [];
      default:
        return [`${at}: type ${String(schema.type)} is not checked`];
    }
  }

  private checkObject(schema: Schema, value: unknown, at: string, direction: 'request' | 'answer'): string[] {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at} is no object`];
    return Object.entries(value).flatMap(([key, each]) => {
      const property = schema.properties?.[key] ?? schema.additionalProperties;
      if (property === undefined) return [`${at}.${key} is unknown`];
      if (property.readOnly === true && direction === 'request') return [`${at}.${key} is output only`];
      return this.checkSchema(property, each, `${at}.${key}`, direction);
    });
  }
}

/** Formats by their names in the documents. */
const FORMATS: Readonly<Record<string, RegExp>> = {
  int32: /^-?\d{1,10}$/,
  int64: /^-?\d{1,19}$/,
  uint32: /^\d{1,10}$/,
  uint64: /^\d{1,20}$/,
  byte: /^[A-Za-z0-9+/_-]*={0,2}$/,
  'google-datetime': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/,
  'google-duration': /^-?\d+(?:\.\d{1,9})?s$/,
};

function checkText(schema: Schema, value: string, at: string): string[] {
  const format = FORMATS[schema.format ?? ''];
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return [`${at}: ${value} is not in its enumeration`];
  if (format !== undefined && !format.test(value)) return [`${at}: ${value} is no ${String(schema.format)}`];
  if (schema.type === 'integer' && !/^-?\d+$/.test(value)) return [`${at}: ${value} is no integer`];
  if (schema.type === 'boolean' && !/^(?:true|false)$/.test(value)) return [`${at}: ${value} is no boolean`];
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
    return [`${at}: ${value} does not match`];
  return [];
}

function patternOf(template: string): RegExp {
  const text = template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '([^/:]+)');
  return new RegExp(`^${text}$`);
}

function documentsFolder(): string {
  const library = path.join(ROOT, '.venv', process.platform === 'win32' ? 'Lib' : 'lib');
  const candidates =
    process.platform === 'win32' ? [library] : readdirSync(library).map((name) => path.join(library, name));
  const inPackages = 'site-packages/googleapiclient/discovery_cache/documents';
  for (const candidate of candidates) {
    const folder = path.join(candidate, inPackages);
    try {
      readdirSync(folder);
      return folder;
    } catch {
      // Try the next folder of the environment.
    }
  }
  throw new Error('.venv has no discovery documents: google-api-python-client is missing.');
}
