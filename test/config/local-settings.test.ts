import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mergeLocalSettings, readLocalSettings } from '../../src/config/local-settings.ts';
import type { LocalSettings } from '../../src/config/local-settings.ts';

describe('local.settings.json', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'local-settings-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });
  const read = (value: object): LocalSettings | undefined => {
    writeFileSync(join(dir, 'local.settings.json'), JSON.stringify(value));
    return readLocalSettings(dir);
  };

  it('gives values, connection strings and what it says of other origins', () => {
    const settings = read({
      isEncrypted: false,
      Values: { A: 'a', N: 1, T: true, E: null },
      ConnectionStrings: { db: 'x', other: { ConnectionString: 'y', ProviderName: 'p' } },
      Host: { LocalHttpPort: 7071, CORS: 'http://a, http://b,', CORSCredentials: true },
    });
    assert.deepEqual(settings, {
      file: join(dir, 'local.settings.json'),
      values: {
        A: 'a',
        N: '1',
        T: 'true',
        E: '',
        'ConnectionStrings:db': 'x',
        'ConnectionStrings:other': 'y',
      },
      corsOrigins: ['http://a', 'http://b'],
      corsCredentials: true,
    });
  });

  it('may be missing, and may be nearly empty', () => {
    assert.equal(readLocalSettings(dir), undefined);
    assert.deepEqual(read({ IsEncrypted: false })?.values, {});
  });

  it('yields to the environment', () => {
    const settings = read({ IsEncrypted: false, Values: { A: 'file', B: 'file' } });
    assert.ok(settings !== undefined);
    assert.deepEqual(mergeLocalSettings(settings, { A: 'environment' }), {
      added: { B: 'file' },
      skipped: ['A'],
    });
  });

  it('is refused when it is encrypted, which it is unless it says otherwise', () => {
    assert.throws(() => read({ IsEncrypted: true }), /must say "IsEncrypted": false/);
    assert.throws(() => read({ Values: {} }), /func settings decrypt/);
  });

  it('is refused without showing values when their kind is wrong', () => {
    const text = { IsEncrypted: false };
    assert.throws(() => read({ ...text, Values: { A: { secret: 1 } } }), {
      message: /local\.settings\.json: Values\.A must be a string; write nested values/,
    });
    assert.throws(() => read({ ...text, Values: [] }), /Values must be an object/);
    assert.throws(
      () => read({ ...text, ConnectionStrings: { a: 1, b: [] } }),
      /\.b must be a string/,
    );
    assert.throws(
      () => read({ ...text, Host: { CORS: 1 } }),
      /Host\.CORS must be a comma-separated/,
    );
  });

  it('is refused with the reason when it cannot be read', () => {
    mkdirSync(join(dir, 'local.settings.json'));
    assert.throws(() => readLocalSettings(dir), /local\.settings\.json cannot be read \(EISDIR\)/);
  });
});
