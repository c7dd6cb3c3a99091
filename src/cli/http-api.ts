/** Calls of the scheduler's HTTP API from the command line. */
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { AUTHENTICATION_VALUES, type Authentication } from '../config/connection-string.ts';
import { didYouMean } from '../config/did-you-mean.ts';
import { ConfigError } from '../config/load-server-config.ts';
import { ERROR_CODES, TaskHubError, type ErrorCode } from '../core/errors.ts';
import type { CliContext } from './cli-context.ts';

/** Flags of every command that calls the HTTP API. */
export interface HttpApiFlags {
  readonly httpEndpoint?: string;
  readonly authentication?: string;
  readonly caFile?: string;
  readonly json?: true;
}

const ENDPOINT_DEFAULT = 'http://127.0.0.1:8082';
const ANSWER_MAX_MS = 30_000;

export function addHttpApiFlags(
  command: Command,
  { isJsonThere = false }: { readonly isJsonThere?: boolean } = {},
): Command {
  if (!isJsonThere) command.option('--json', 'Print one JSON line for each result');
  return command
    .option(
      '--http-endpoint <url>',
      `HTTP address of the scheduler (env: DURABLETASK_HTTP_ENDPOINT, default: ${ENDPOINT_DEFAULT})`,
    )
    .option(
      '--authentication <value>',
      'Who calls, as in a connection string (env: DURABLETASK_AUTHENTICATION, default: None); a token of one’s own goes into DURABLETASK_TOKEN',
    )
    .option('--ca-file <file>', 'PEM file of the CA to trust (env: DURABLETASK_CA_FILE)');
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/api/v1`. */
  readonly path: string;
  readonly body?: object;
  /** The answer is the text itself, not JSON. */
  readonly isText?: true;
}

/** Parsed JSON, or a string where text was asked for. */
export type CallApi = (request: ApiRequest) => Promise<unknown>;

/** @throws ConfigError for a flag that is wrong. */
export function openHttpApi(flags: HttpApiFlags, { env }: CliContext): CallApi {
  const endpoint = flags.httpEndpoint ?? env['DURABLETASK_HTTP_ENDPOINT'] ?? ENDPOINT_DEFAULT;
  const url = URL.parse(endpoint);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new ConfigError([
      `--http-endpoint must be an http or https address, got '${endpoint}'. Leave it out for ${ENDPOINT_DEFAULT}.`,
    ]);
  }
  const authentication = readAuthentication(
    flags.authentication ?? env['DURABLETASK_AUTHENTICATION'] ?? 'None',
  );
  const ca = readCa(flags.caFile ?? (env['DURABLETASK_CA_FILE'] || undefined));
  const token = (): Promise<string | undefined> =>
    tokenOf(authentication, env['DURABLETASK_TOKEN']);
  return async (request) => call({ origin: url.origin, ca, token: await token() }, request);
}

function readAuthentication(text: string): Authentication {
  const found = AUTHENTICATION_VALUES.find((each) => each.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  throw new ConfigError([
    `--authentication must be one of ${AUTHENTICATION_VALUES.join(', ')}${didYouMean(text, AUTHENTICATION_VALUES)}.`,
  ]);
}

function readCa(path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new ConfigError([`--ca-file ${path} cannot be read (${code}). Name a PEM file.`], {
      cause,
    });
  }
}

async function tokenOf(
  authentication: Authentication,
  given: string | undefined,
): Promise<string | undefined> {
  if (given !== undefined && given !== '') return given;
  if (authentication === 'None') return undefined;
  const { createTokenProvider } = await import('../client/token-provider.ts');
  const provider = createTokenProvider({ identity: { authentication }, clock: systemClock });
  return provider?.getToken({ signal: undefined });
}

interface Target {
  readonly origin: string;
  readonly ca: Buffer | undefined;
  readonly token: string | undefined;
}

async function call(
  { origin, ca, token }: Target,
  { method, path, body, isText }: ApiRequest,
): Promise<unknown> {
  const answer = Promise.withResolvers<IncomingMessage>();
  const request = (origin.startsWith('https:') ? httpsRequest : httpRequest)(
    `${origin}/api/v1${path}`,
    {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      signal: AbortSignal.timeout(ANSWER_MAX_MS),
      ...(ca && { ca }),
    },
    answer.resolve,
  );
  request.once('error', answer.reject);
  request.end(body === undefined ? undefined : JSON.stringify(body));
  try {
    const response = await answer.promise;
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
    const status = response.statusCode ?? 0;
    return isText && status < 400 ? text : readAnswer(status, text, origin);
  } catch (error) {
    if (error instanceof TaskHubError) throw error;
    throw await unreachable(origin, error);
  }
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly error?: { readonly code?: string; readonly message?: string };
}

function readAnswer(status: number, text: string, origin: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    const message = `${origin} answered ${status} with something else than JSON; is it a scheduler's HTTP port?`;
    throw new TaskHubError('UNAVAILABLE', message, { cause });
  }
  if (status < 400) return answer;
  const { code, detail, error } = answer as Problem;
  const known = ERROR_CODES.find((each) => each === (code ?? error?.code));
  throw new TaskHubError(known ?? fallback(status), detail ?? error?.message ?? `status ${status}`);
}

function fallback(status: number): ErrorCode {
  return status < 500 ? 'INVALID_ARGUMENT' : 'UNAVAILABLE';
}

async function unreachable(origin: string, cause: unknown): Promise<TaskHubError> {
  const { tlsProblem } = await import('../client/channel-credentials.ts');
  const { message, code } = cause as NodeJS.ErrnoException;
  const text = message === '' ? (code ?? 'no answer') : message;
  const problem = tlsProblem(text, origin)?.replace(
    '"CaFile" in the connection string',
    '--ca-file',
  );
  return new TaskHubError(
    'UNAVAILABLE',
    problem ??
      `No scheduler answers at ${origin} (${text}); name its HTTP port with --http-endpoint.`,
    { cause },
  );
}
