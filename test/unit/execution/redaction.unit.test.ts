import assert from 'node:assert/strict';
import { redact } from '../../../src/execution/secrets/redaction';

describe('redaction', () => {
  for (const [what, text, secret] of [
    ['a header', 'Authorization: Bearer ya29.a0Af_x-y/z=', 'ya29'],
    ['a JSON header', '{"authorization":"Bearer abc.def","x":1}', 'abc.def'],
    ['a basic header', 'authorization: Basic dXNlcjpwYXNz', 'dXNlcjpwYXNz'],
    ['a token alone', 'sent bearer s3cr3t-token to it', 's3cr3t'],
    ['a signed URL', 'https://h/o?X-Goog-Signature=abcdef0123&alt=media', 'abcdef0123'],
    ['a key in a URL', 'https://h/v1?key=AIzaSyA-1&x=2', 'AIzaSyA'],
    ['a JSON password', '{"db_password": "hunter\\"2", "x": 1}', 'hunter'],
    ['a JSON private key', '{"private_key": "MIIEvq", "x": 1}', 'MIIEvq'],
    ['a credential', 'X_CREDENTIALS=abc123 started', 'abc123'],
    ['an assignment', 'API_KEY=sk-12345 python x.py', 'sk-12345'],
    ['a URL with a password', 'postgres://me:hunter2@db/x', 'hunter2'],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nMIIE\nxyz\n-----END PRIVATE KEY-----', 'MIIE'],
  ] as const) {
    it(`hides ${what}`, () => {
      const redacted = redact(text);
      assert.ok(!redacted.includes(secret), redacted);
      assert.ok(redacted.includes('***'), redacted);
    });
  }

  it('keeps ordinary text', () => {
    const text =
      'GET http://127.0.0.1:4000/v1/projects/local?pageSize=10 answered 404 in 3 ms: tokenizer not found';
    assert.equal(redact(text), text);
  });
});
