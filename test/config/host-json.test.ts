import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHostJson } from '../../src/config/host-json.ts';
import type { AppSettings, HostJson } from '../../src/config/host-json.ts';

describe('host.json', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'host-json-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });
  const read = (text: string, env: AppSettings = {}): HostJson => {
    writeFileSync(join(dir, 'host.json'), text);
    return readHostJson({ appDir: dir, env });
  };

  it('may hold a byte order mark, comments and trailing commas', () => {
    const hostJson = read(`\uFEFF{
      // a line
      "version": "2.0", /* a
      block */ "url": "http://x/*y*/,}",
      "list": [1, 2,],
    }`);
    assert.equal(hostJson.text('url'), 'http://x/*y*/,}');
  });

  it('is read whatever the case of its names', () => {
    const hostJson = read('{"Version":"2.0","Extensions":{"DurableTask":{"HUBNAME":"h"}}}');
    assert.equal(hostJson.text('extensions.durableTask.hubName'), 'h');
  });

  it('takes an app setting for a text that is %NAME% as a whole', () => {
    const text = '{"version":"2.0","a":"%HUB%","b":"x%HUB%","c":"%OTHER%"}';
    const hostJson = read(text, { Hub: 'from settings' });
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => hostJson.text(name)),
      ['from settings', 'x%HUB%', '%OTHER%'],
    );
  });

  it('is overridden by app settings, whatever their case, with either separator', () => {
    const hostJson = read('{"version":"2.0","extensions":{"durableTask":{"hubName":"file"}}}', {
      AzureFunctionsJobHost__Extensions__durableTask__HubName: 'setting',
      'azurefunctionsjobhost:extensions:durableTask:maxConcurrentActivityFunctions': '7',
      AzureFunctionsJobHost__extensions__durableTask__tracing__traceInputsAndOutputs: 'True',
    });
    assert.deepEqual(hostJson.section('extensions.durableTask'), {
      hubName: 'setting',
      maxConcurrentActivityFunctions: '7',
      tracing: { traceInputsAndOutputs: 'True' },
    });
    assert.equal(hostJson.number('extensions.durableTask.maxConcurrentActivityFunctions'), 7);
    assert.equal(hostJson.flag('extensions.durableTask.tracing.traceInputsAndOutputs'), true);
  });

  it('gives undefined for what it does not have', () => {
    const hostJson = read('{"version":"2.0","none":null,"text":"t"}');
    assert.deepEqual(
      [hostJson.text('none'), hostJson.number('a.b'), hostJson.flag('x'), hostJson.section('y')],
      [undefined, undefined, undefined, undefined],
    );
    assert.equal(hostJson.text('text.inner'), undefined);
  });

  it('refuses a value of the wrong kind and names its place', () => {
    const hostJson = read('{"version":"2.0","a":{"b":[]},"n":"x","f":"maybe"}');
    assert.throws(() => hostJson.text('a.b'), /host\.json: a\.b must be a string, got \[\]\.$/);
    assert.throws(() => hostJson.number('n'), /n must be a number, got "x"/);
    assert.throws(() => hostJson.flag('f'), /f must be true or false, got "maybe"/);
    assert.throws(() => hostJson.section('n'), /n must be an object, got "x"/);
  });

  it('is refused when it is missing, is no JSON object, or is of another version', () => {
    assert.throws(() => readHostJson({ appDir: join(dir, 'no'), env: {} }), {
      code: 'INVALID_ARGUMENT',
      message: /no\/host\.json cannot be read \(ENOENT\)\. .*create it with \{"version": "2\.0"\}/,
    });
    assert.throws(
      () => read('{"version" "2.0"}'),
      /host\.json is not valid JSON: .*Correct the file/,
    );
    assert.throws(() => read('[]'), /host\.json must hold a JSON object/);
    assert.throws(() => read('{}'), /must say "version": "2\.0", got none/);
    assert.throws(() => read('{"version":"1.0"}'), /must say "version": "2\.0", got "1\.0"/);
  });
});
