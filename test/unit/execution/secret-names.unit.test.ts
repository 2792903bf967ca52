import assert from 'node:assert/strict';
import {
  isSecretName,
  MASK,
  maskSecrets,
  SECRET_PARAMETERS,
} from '../../../src/execution/secrets/secret-names';

describe('secret names', () => {
  for (const name of [
    'password',
    'DB_PASSWORD',
    'api_token',
    'Token',
    'client_secret',
    'openai_api_key',
    'apikey',
  ]) {
    it(`${name} is secret`, () => {
      assert.ok(isSecretName(name, SECRET_PARAMETERS));
    });
  }
  for (const name of ['max_tokens', 'tokenizer', 'alpha', 'key', 'path']) {
    it(`${name} is not secret`, () => {
      assert.ok(!isSecretName(name, SECRET_PARAMETERS));
    });
  }

  it('are matched by patterns in which only * is special', () => {
    assert.ok(isSecretName('a.b(1)', ['A.B(*)']));
    assert.ok(!isSecretName('axb(1)', ['a.b(*)']));
    assert.ok(!isSecretName('password1', ['password']));
    assert.ok(!isSecretName('password', []));
  });

  it('mask values at any depth and of any type, and leave the rest unchanged', () => {
    const plain = { alpha: 1, list: [{ beta: 2 }], empty_password: '', no_token: null };
    assert.equal(maskSecrets(plain, SECRET_PARAMETERS), plain);
    const value = { alpha: 1, password: 'hunter2', login: [{ user: 'me', api_key: { id: 7 } }] };
    assert.deepEqual(maskSecrets(value, SECRET_PARAMETERS), {
      alpha: 1,
      password: MASK,
      login: [{ user: 'me', api_key: MASK }],
    });
  });
});
