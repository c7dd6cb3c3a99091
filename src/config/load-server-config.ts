import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { TaskHubError } from '../core/errors.ts';
import { isLoopback } from './loopback.ts';
import { parseJsonObject } from './json-with-comments.ts';
import { didYouMean } from './did-you-mean.ts';
import { isGuarded, securityProblems } from './security-config.ts';
import {
  flagName,
  SERVER_CONFIG_KEYS,
  SERVER_OPTIONS,
  serverConfigSchema,
  type ServerConfig,
  type ServerConfigKey,
} from './server-config.ts';

export const CONFIG_FILE_DEFAULT = 'durabletask.config.json';
export const CONFIG_FILE_ENVIRONMENT = 'DURABLETASK_CONFIG';

/** Where a value came from. */
export type ConfigSource = 'flag' | 'environment' | 'file' | 'option' | 'default';

export interface LoadedServerConfig {
  /** Complete and frozen. */
  readonly config: ServerConfig;
  readonly sources: Readonly<Record<ServerConfigKey, ConfigSource>>;
  /** The configuration file that was read, if any; absolute. */
  readonly file: string | undefined;
}

export interface LoadServerConfigOptions {
  /** Flags that were given, by key; text, or `true` for a flag without a value. */
  readonly flags: Readonly<Partial<Record<ServerConfigKey, string | true>>>;
  /** Value of `--config`. */
  readonly configFile: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start here. */
  readonly cwd: string;
  /** Which command asks: `dev` uses the functions port too. */
  readonly command: 'start' | 'dev';
}

/** A wrong configuration: wrong usage, which the command line answers with exit code 2. */
export class ConfigError extends TaskHubError {
  /** One sentence for each thing that is wrong. */
  readonly problems: readonly string[];
  constructor(problems: readonly string[], options?: { readonly cause?: unknown }) {
    super('INVALID_ARGUMENT', problems.join('\n'), options);
    this.problems = problems;
  }
}

/** A value and what to call it in a sentence. */
interface Candidate {
  readonly value: unknown;
  readonly label: string;
  readonly source: ConfigSource;
}

type Candidates = Partial<Record<ServerConfigKey, Candidate>>;

/**
 * Flags over environment over file over defaults; an empty environment variable counts as unset.
 *
 * @throws ConfigError with every problem there is, each naming value, rule and remedy.
 */
export function loadServerConfig(options: LoadServerConfigOptions): LoadedServerConfig {
  const file = readConfigFile(options);
  const candidates: Candidates = {
    ...file.candidates,
    ...fromEnvironment(options.env),
    ...fromFlags(options.flags),
  };
  const usesFunctionsPort = options.command === 'dev';
  const compiled = compile(candidates, file.problems, { usesFunctionsPort });
  return { ...compiled, file: file.path };
}

/**
 * The same rules for options given in code (`openScheduler`). `others` names the options that are
 * not configuration; anything else that is unknown is a problem too.
 *
 * @throws ConfigError as `loadServerConfig`.
 */
export function completeServerConfig(
  options: Readonly<Record<string, unknown>>,
  others: readonly string[],
): ServerConfig {
  const candidates: Candidates = {};
  const problems: string[] = [];
  for (const [key, value] of Object.entries(options)) {
    if (isKey(key) && value !== undefined) {
      candidates[key] = { value, label: key, source: 'option' };
    } else if (!isKey(key) && !others.includes(key)) {
      const known = [...SERVER_CONFIG_KEYS, ...others];
      problems.push(`'${key}' is not an option${didYouMean(key, known)}. Correct or remove it.`);
    }
  }
  return compile(candidates, problems, { usesFunctionsPort: false }).config;
}

function compile(
  candidates: Candidates,
  earlier: readonly string[],
  rules: { readonly usesFunctionsPort: boolean },
): Pick<LoadedServerConfig, 'config' | 'sources'> {
  const given = Object.entries(candidates).map(([key, { value }]) => [key, value] as const);
  const { error } = serverConfigSchema.safeParse(Object.fromEntries(given));
  const issues = error?.issues ?? [];
  const wrong = new Set(issues.map(({ path }) => path[0]));
  // What is wrong by itself is left out, so that the rest is checked together all the same.
  const right = given.filter(([key]) => !wrong.has(key));
  const config = serverConfigSchema.parse(Object.fromEntries(right));
  const problems = [
    ...earlier,
    ...valueProblems(issues, candidates),
    ...sharedProblems(config, candidates, rules),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  const sources = Object.fromEntries(
    SERVER_CONFIG_KEYS.map((key) => [key, candidates[key]?.source ?? 'default']),
  ) as Record<ServerConfigKey, ConfigSource>;
  const taskHubs = [...new Set(config.taskHubs)];
  return { config: Object.freeze({ ...config, taskHubs }), sources: Object.freeze(sources) };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** One sentence for each wrong key, whatever is wrong inside its value. */
function valueProblems(issues: readonly Issue[], candidates: Candidates): string[] {
  const byKey = new Map(issues.toReversed().map((issue) => [issue.path[0], issue.message]));
  return [...byKey].toReversed().map(([key, rule]) => {
    const name = key as ServerConfigKey;
    const { value, label } = candidates[name] ?? { value: undefined, label: name };
    const shown = name === 'storage' ? '' : `, got ${JSON.stringify(value)}`;
    return `${label} ${rule}${shown}. ${remedy(name)}`;
  });
}

function remedy(key: ServerConfigKey): string {
  const byDefault: unknown = serverConfigSchema.shape[key].parse(undefined) ?? [];
  const text = Array.isArray(byDefault)
    ? byDefault.join(',')
    : JSON.stringify(byDefault).replaceAll('"', '');
  return text === '' ? 'Leave it out to have none.' : `Leave it out for ${text}.`;
}

/** What is wrong only together. */
function sharedProblems(
  config: ServerConfig,
  candidates: Candidates,
  { usesFunctionsPort }: { readonly usesFunctionsPort: boolean },
): string[] {
  const problems: string[] = [];
  const label = (key: ServerConfigKey): string => candidates[key]?.label ?? flagName(key);
  problems.push(...securityProblems(config, label));
  if (usesFunctionsPort && (config.tlsCert !== undefined || config.authIssuers.length > 0)) {
    const key = config.tlsCert === undefined ? 'authIssuers' : 'tlsCert';
    problems.push(
      `${label(key)} is not for dev, which connects one app on this machine to a scheduler of its own. Use start, and dev --connection.`,
    );
  }
  if (!isLoopback(config.host) && !isGuarded(config) && !config.allowInsecure) {
    problems.push(
      `${label('host')} ${config.host} would let other machines in, without ${lacking(config)}. ` +
        'Listen on 127.0.0.1, give --tls-cert, --tls-key and --auth-issuers, or permit it on a network that you trust with --allow-insecure.',
    );
  }
  const ports = (['grpcPort', 'httpPort', 'functionsPort'] as const).filter(
    (key) => config[key] !== 0 && (key !== 'functionsPort' || usesFunctionsPort),
  );
  for (const [index, key] of ports.entries()) {
    const same = ports.slice(0, index).find((other) => config[other] === config[key]);
    if (same === undefined) continue;
    problems.push(
      `${label(key)} ${config[key]} is the port of ${label(same)} too. Give each its own.`,
    );
  }
  return problems;
}

function lacking({ tlsCert, authIssuers }: ServerConfig): string {
  const lacks = [
    ...(tlsCert === undefined ? ['TLS'] : []),
    ...(authIssuers.length === 0 ? ['authentication'] : []),
  ];
  return lacks.join(' or ');
}

function fromFlags(flags: LoadServerConfigOptions['flags']): Candidates {
  const candidates: Candidates = {};
  for (const key of SERVER_CONFIG_KEYS) {
    const text = flags[key];
    if (text === undefined) continue;
    const value = text === true ? true : fromText(key, text);
    candidates[key] = { value, label: flagName(key), source: 'flag' };
  }
  return candidates;
}

function fromEnvironment(env: LoadServerConfigOptions['env']): Candidates {
  const candidates: Candidates = {};
  for (const key of SERVER_CONFIG_KEYS) {
    const label = SERVER_OPTIONS[key].environment;
    const text = env[label];
    if (text === undefined || text.trim() === '') continue;
    candidates[key] = { value: fromText(key, text.trim()), label, source: 'environment' };
  }
  return candidates;
}

/** Text that does not fit stays text, for the schema to refuse with the value shown. */
function fromText(key: ServerConfigKey, text: string): unknown {
  switch (SERVER_OPTIONS[key].kind) {
    case 'text':
      return text;
    case 'integer':
      return /^\d{1,15}$/.test(text) ? Number(text) : text;
    case 'sizes':
      return readSizes(text);
    case 'list':
      return splitList(text);
    case 'json':
      return readJson(text);
    case 'flag':
      if (/^(?:true|1|on|yes)$/i.test(text)) return true;
      return /^(?:false|0|off|no)$/i.test(text) ? false : text;
  }
}

/** Text that is no JSON stays text, for the schema to refuse. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

interface ConfigFile {
  readonly path: string | undefined;
  readonly candidates: Candidates;
  readonly problems: readonly string[];
}

function readConfigFile({ configFile, env, cwd }: LoadServerConfigOptions): ConfigFile {
  const named = configFile ?? (env[CONFIG_FILE_ENVIRONMENT]?.trim() || undefined);
  const path = resolve(cwd, named ?? CONFIG_FILE_DEFAULT);
  const nothing = { path: undefined, candidates: {}, problems: [] };
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (named === undefined && code === 'ENOENT') return nothing;
    const label = configFile === undefined ? CONFIG_FILE_ENVIRONMENT : '--config';
    const who = named === undefined ? '' : ` (named by ${label})`;
    const problem = `${path}${who} cannot be read (${code}). Name a file that exists and is yours to read.`;
    return { ...nothing, problems: [problem] };
  }
  return { path, ...fromFileText(text, path) };
}

function fromFileText(text: string, path: string): Pick<ConfigFile, 'candidates' | 'problems'> {
  let root: Readonly<Record<string, unknown>>;
  try {
    root = parseJsonObject(text, path);
  } catch (error) {
    if (!(error instanceof TaskHubError)) throw error;
    return { candidates: {}, problems: [error.message] };
  }
  const candidates: Candidates = {};
  const problems: string[] = [];
  for (const [key, value] of Object.entries(root)) {
    if (isKey(key)) {
      candidates[key] = {
        value: fromFileValue(key, value),
        label: `${path}: ${key}`,
        source: 'file',
      };
    } else if (key !== '$schema') {
      problems.push(
        `${path}: '${key}' is not a setting${didYouMean(key, SERVER_CONFIG_KEYS)}. Correct or remove it.`,
      );
    }
  }
  return { candidates, problems };
}

function isKey(key: string): key is ServerConfigKey {
  return Object.hasOwn(SERVER_OPTIONS, key);
}

/** A list may also be written as the other sources write it. */
function fromFileValue(key: ServerConfigKey, value: unknown): unknown {
  const isListText = SERVER_OPTIONS[key].kind === 'list' && typeof value === 'string';
  return isListText ? splitList(value) : value;
}

/** `a=1,b=2` as an object; text that is not of that form stays text, for the schema to refuse. */
function readSizes(text: string): unknown {
  const pairs = text.split(',').map((pair) => pair.trim().split('='));
  const isWhole = pairs.every(([name, bytes]) => name !== '' && /^\d{1,15}$/.test(bytes ?? ''));
  if (!isWhole) return text;
  return Object.fromEntries(pairs.map(([name = '', bytes]) => [name, Number(bytes)]));
}
