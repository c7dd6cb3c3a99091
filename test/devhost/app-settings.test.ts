import assert from 'node:assert/strict';
import { addSettings } from '../../src/devhost/app-settings.ts';
import { TempApp } from './test-app.ts';

type Env = Record<string, string | undefined>;

function add(files: Readonly<Record<string, string>>, env: Env, extra = {}): string[] {
  const app = new TempApp(files);
  const lines: string[] = [];
  try {
    addSettings(env, { appDir: app.dir, env: extra }, (line) => lines.push(line));
  } finally {
    app.remove();
  }
  return lines.map((line) => line.replaceAll(app.dir, '<app>'));
}

const settings = (values: object): { readonly 'local.settings.json': string } => ({
  'local.settings.json': JSON.stringify({ IsEncrypted: false, Values: values }),
});

describe('settings of an app process', () => {
  it('says how to get a settings file when there is none', () => {
    assert.match(add({}, {})[0] ?? '', /no <app>.local\.settings\.json: .* Create it if/);
    const sample = { 'local.settings.sample.json': '{}' };
    assert.match(add(sample, {})[0] ?? '', /Copy local\.settings\.sample\.json to it if/);
  });

  it('keeps the name of the environment when there is one', () => {
    const env: Env = { AZURE_FUNCTIONS_ENVIRONMENT: 'Staging' };
    add(settings({}), env);
    assert.equal(env['AZURE_FUNCTIONS_ENVIRONMENT'], 'Staging');
  });

  it('refuses another runtime than node', () => {
    add(settings({ FUNCTIONS_WORKER_RUNTIME: 'Node' }), {});
    assert.throws(() => add(settings({ FUNCTIONS_WORKER_RUNTIME: 'python' }), {}), {
      name: 'DevHostError',
      message: /FUNCTIONS_WORKER_RUNTIME is 'python': .* Set it to 'node'/,
    });
  });
});
