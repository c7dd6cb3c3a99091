import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mergeLocalSettings, readLocalSettings } from '../config/local-settings.ts';
import type { LocalSettings } from '../config/local-settings.ts';
import { DevHostError } from './dev-host-error.ts';

export interface AddSettingsOptions {
  readonly appDir: string;
  /** Settings that win over the environment and the file. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Completes the environment of an app's process, as Core Tools do: the app's local settings where
 * the environment says nothing, and what the host itself sets. Returns the local settings.
 */
export function addSettings(
  env: Record<string, string | undefined>,
  { appDir, env: extra }: AddSettingsOptions,
  output: (line: string) => void,
): LocalSettings | undefined {
  const before = { ...env, ...extra };
  const settings = readLocalSettings(appDir);
  if (settings === undefined) output(missingNote(appDir));
  else {
    const { added, skipped } = mergeLocalSettings(settings, before);
    Object.assign(env, added);
    for (const name of skipped.filter((each) => extra[each] === undefined)) {
      output(
        `Skipping '${name}' from local settings as it's already defined in current environment variables.`,
      );
    }
  }
  const known = { ...env, ...extra };
  Object.assign(env, extra, {
    AzureWebJobsScriptRoot: appDir,
    AZURE_FUNCTIONS_ENVIRONMENT: known['AZURE_FUNCTIONS_ENVIRONMENT'] ?? 'Development',
  });
  checkRuntime(env['FUNCTIONS_WORKER_RUNTIME']);
  return settings;
}

function missingNote(appDir: string): string {
  const file = join(appDir, 'local.settings.json');
  const samples = ['local.settings.sample.json', 'local.settings.example.json'];
  const sample = samples.find((name) => existsSync(join(appDir, name)));
  const remedy = sample === undefined ? 'Create it' : `Copy ${sample} to it`;
  return `There is no ${file}: only environment variables are app settings. ${remedy} if the app needs more.`;
}

function checkRuntime(runtime: string | undefined): void {
  if (runtime === undefined || runtime === '' || runtime.toLowerCase() === 'node') return;
  throw new DevHostError(
    `FUNCTIONS_WORKER_RUNTIME is '${runtime}': this host runs Node apps only. Set it to 'node'.`,
  );
}
