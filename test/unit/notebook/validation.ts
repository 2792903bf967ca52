import { Ajv } from 'ajv';
import assert from 'node:assert/strict';
import { python } from './python';

const SCHEMA = `
import json, pathlib, nbformat
print((pathlib.Path(nbformat.__file__).parent / 'v4' / 'nbformat.v4.5.schema.json').read_text())
`;
const VALIDATE = `
import json, sys, warnings, nbformat
warnings.simplefilter('error')
def check(text):
    def refuse(name): raise ValueError('bare ' + name)
    try:
        nbformat.validate(json.loads(text, parse_constant=refuse))
    except Exception as error:
        return repr(error)[:300]
json.dump([check(text) for text in json.load(sys.stdin)], sys.stdout)
`;

/** Asserts that the documents are valid, by the official schema of nbformat 4.5 and by nbformat itself. */
export function assertValid(documents: Readonly<Record<string, Uint8Array>>): void {
  const schema = python(SCHEMA, null) as Record<string, unknown>;
  // Draft 4. Ajv supports every part of it that this schema uses.
  delete schema['$schema'];
  const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);
  const texts = Object.values(documents).map((bytes) => Buffer.from(bytes).toString());
  const verdicts = python(VALIDATE, texts) as (string | null)[];
  const problems = Object.keys(documents).flatMap((name, index) => {
    const valid = validate(JSON.parse(texts[index] ?? ''));
    const found = [...(valid ? [] : [JSON.stringify(validate.errors)]), verdicts[index] ?? []].flat();
    return found.map((problem) => `${name}: ${problem}`);
  });
  assert.deepEqual(problems, []);
}
