import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  completeServerConfig,
  ConfigError,
  loadServerConfig,
  type LoadServerConfigOptions,
} from '../../src/config/load-server-config.ts';
import { DEFAULT_PAYLOAD_LIMITS } from '../../src/core/limits.ts';
import { DEFAULT_POSTGRES_LIMITS } from '../../src/core/postgres-limits.ts';
import { SERVER_OPTIONS, serverConfigSchema } from '../../src/config/server-config.ts';

describe('server configuration', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'durabletask-config-'));
  });
  afterEach(() => {
    rmSync(cwd, { recursive: true });
  });

  const load = (options: Partial<LoadServerConfigOptions> = {}) =>
    loadServerConfig({
      ...{ flags: {}, configFile: undefined, env: {}, cwd, command: 'start' },
      ...options,
    });
  const problemsOf = (options: Partial<LoadServerConfigOptions>): readonly string[] => {
    try {
      load(options);
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
    return [];
  };
  const writeFile = (value: unknown, name = 'durabletask.config.json'): string => {
    writeFileSync(join(cwd, name), typeof value === 'string' ? value : JSON.stringify(value));
    return join(cwd, name);
  };

  it('has the documented defaults', () => {
    const { config, file } = load();

    assert.deepEqual(config, {
      storage: 'sqlite:./.durabletask/scheduler.db',
      taskHubs: ['default'],
      grpcPort: 8080,
      httpPort: 8082,
      functionsPort: 7071,
      host: '127.0.0.1',
      allowInsecure: false,
      allowHubRecreate: false,
      allowedHosts: [],
      authIssuers: [],
      authAudiences: ['https://durabletask.io'],
      authClockSkewMs: 60_000,
      roleAssignments: [],
      signInScopes: ['openid', 'profile', 'offline_access'],
      grpcReceiveBytesMax: 67_108_864,
      payloadLimits: DEFAULT_PAYLOAD_LIMITS,
      hubRateLimits: {},
      postgresLimits: DEFAULT_POSTGRES_LIMITS,
      logLevel: 'info',
    });
    assert.equal(file, undefined);
  });

  it('has the documented flags and environment variables', () => {
    const documented = [
      ['--storage', 'DURABLETASK_STORAGE'],
      ['--task-hubs', 'DTS_TASK_HUB_NAMES'],
      ['--grpc-port', 'DURABLETASK_GRPC_PORT'],
      ['--http-port', 'DURABLETASK_HTTP_PORT'],
      ['--functions-port', 'DURABLETASK_FUNCTIONS_PORT'],
      ['--host', 'DURABLETASK_HOST'],
      ['--allow-insecure', 'DURABLETASK_ALLOW_INSECURE'],
      ['--log-level', 'DURABLETASK_LOG_LEVEL'],
    ];
    const actual = Object.values(SERVER_OPTIONS).map(({ flag, environment }) => [
      flag.split(' ')[0],
      environment,
    ]);

    for (const pair of documented)
      assert.deepEqual(
        actual.find(([flag]) => flag === pair[0]),
        pair,
      );
  });

  it('describes each of its keys', () => {
    for (const [key, schema] of Object.entries(serverConfigSchema.shape)) {
      assert.ok(schema.description, key);
    }
  });

  it('takes flags over environment over file over defaults, and remembers which', () => {
    const path = writeFile({ grpcPort: 1, httpPort: 2, functionsPort: 3 });

    const { config, sources, file } = load({
      flags: { grpcPort: '11' },
      env: { DURABLETASK_GRPC_PORT: '21', DURABLETASK_HTTP_PORT: '22' },
    });

    assert.deepEqual([config.grpcPort, config.httpPort, config.functionsPort], [11, 22, 3]);
    assert.deepEqual(
      [sources.grpcPort, sources.httpPort, sources.functionsPort, sources.host],
      ['flag', 'environment', 'file', 'default'],
    );
    assert.equal(file, path);
  });

  it('cannot be changed after it was loaded', () => {
    assert.ok(Object.isFrozen(load().config));
  });

  it('trims a list of task hubs and names each once', () => {
    const { config } = load({ env: { DTS_TASK_HUB_NAMES: ' a, b ,,a' } });

    assert.deepEqual(config.taskHubs, ['a', 'b']);
  });

  it('takes an empty environment variable for one that is not set', () => {
    assert.equal(load({ env: { DURABLETASK_GRPC_PORT: ' ' } }).config.grpcPort, 8080);
  });

  it('reads the file that a flag or the environment names, comments and all', () => {
    writeFile('{ /* ours */ "taskHubs": "x, y", "allowInsecure": true, }', 'other.json');

    assert.deepEqual(load({ configFile: 'other.json' }).config.taskHubs, ['x', 'y']);
    assert.equal(load({ env: { DURABLETASK_CONFIG: 'other.json' } }).config.allowInsecure, true);
  });

  it('refuses to go on without a file that was named', () => {
    const [problem] = problemsOf({ configFile: 'missing.json' });

    assert.match(problem ?? '', /missing\.json \(named by --config\) cannot be read \(ENOENT\)/);
  });

  it('names an unknown key of the file and the one that was meant', () => {
    const path = writeFile({ grpcprt: 1, colour: 'red' });

    assert.deepEqual(problemsOf({}), [
      `${path}: 'grpcprt' is not a setting (did you mean 'grpcPort'?). Correct or remove it.`,
      `${path}: 'colour' is not a setting. Correct or remove it.`,
    ]);
  });

  it('reports everything that is wrong at once, with value, rule and remedy', () => {
    const path = writeFile({ httpPort: 70_000, allowInsecure: 'maybe' });

    assert.deepEqual(
      problemsOf({
        flags: { grpcPort: 'x', host: '0.0.0.0' },
        env: { DURABLETASK_LOG_LEVEL: 'loud' },
      }),
      [
        `${path}: httpPort must be a whole number from 0 to 65535, got 70000. Leave it out for 8082.`,
        `${path}: allowInsecure must be true or false, got "maybe". Leave it out for false.`,
        '--grpc-port must be a whole number from 0 to 65535, got "x". Leave it out for 8080.',
        'DURABLETASK_LOG_LEVEL must be one of debug, info, warn, error, silent, got "loud". Leave it out for info.',
        '--host 0.0.0.0 would let other machines in, without TLS or authentication. Listen on 127.0.0.1, give --tls-cert, --tls-key and --auth-issuers, or permit it on a network that you trust with --allow-insecure.',
      ].sort((left, right) => order(left) - order(right)),
    );
  });

  it('never repeats a storage address, which may hold a password', () => {
    const [problem] = problemsOf({ flags: { storage: 'mysql://me:s3cret@host/db' } });

    assert.match(problem ?? '', /^--storage must be memory, sqlite:<path> or postgres:\/\/…\. /);
  });

  it('refuses hub names that the engine would refuse, and a list without any', () => {
    for (const taskHubs of ['a b', '-a', 'x'.repeat(65), ',']) {
      assert.match(
        problemsOf({ flags: { taskHubs } })[0] ?? '',
        /^--task-hubs must be one or more/,
      );
    }
  });

  it('refuses one port for two things, of those that the command uses', () => {
    assert.match(
      problemsOf({ flags: { grpcPort: '8082' } })[0] ?? '',
      /^--http-port 8082 is the port of --grpc-port too/,
    );
    assert.deepEqual(problemsOf({ flags: { grpcPort: '7071' } }), []);
    assert.equal(problemsOf({ flags: { grpcPort: '7071' }, command: 'dev' }).length, 1);
    assert.deepEqual(problemsOf({ flags: { grpcPort: '0', httpPort: '0' } }), []);
  });

  for (const host of ['127.0.0.1', '127.8.9.1', '::1', 'localhost', 'LOCALHOST']) {
    it(`takes ${host} for loopback`, () => {
      assert.deepEqual(problemsOf({ flags: { host } }), []);
    });
  }

  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'myhost', '127.evil.example']) {
    it(`listens on ${host} only when that is permitted`, () => {
      assert.match(problemsOf({ flags: { host } })[0] ?? '', /--allow-insecure/);
      assert.deepEqual(problemsOf({ flags: { host, allowInsecure: true } }), []);
    });
  }
});

describe('options given in code', () => {
  it('follow the same rules under their own names', () => {
    assert.throws(() => completeServerConfig({ grpcPort: -1, taskHub: 'a' }, []), {
      code: 'INVALID_ARGUMENT',
      message:
        "'taskHub' is not an option (did you mean 'taskHubs'?). Correct or remove it.\n" +
        'grpcPort must be a whole number from 0 to 65535, got -1. Leave it out for 8080.',
    });
  });

  it('take what is undefined for what is not given, and leave the named others alone', () => {
    const config = completeServerConfig({ grpcPort: undefined, logger: {} }, ['logger']);

    assert.equal(config.grpcPort, 8080);
  });
});

/** Problems come in the order of the settings; those of several settings come last. */
function order(problem: string): number {
  const names = ['grpc-port', 'httpPort', 'allowInsecure', 'LOG_LEVEL', '--host'];
  return names.findIndex((name) => problem.includes(name));
}

describe('payload limits', () => {
  const load = (text: string) =>
    loadServerConfig({
      flags: { payloadLimits: text },
      configFile: undefined,
      env: {},
      cwd: tmpdir(),
      command: 'start',
    });

  it('take the kinds that are named and leave the others at 1 MiB', () => {
    const { payloadLimits } = load('activityInput=4194304, eventData=2048').config;
    assert.deepEqual(
      [payloadLimits.activityInput, payloadLimits.eventData, payloadLimits.activityOutput],
      [4_194_304, 2048, 1_048_576],
    );
  });

  for (const wrong of ['activityInput', 'activityInput=12', 'inputs=4096', 'eventData=-1']) {
    it(`refuse ${wrong}, naming the rule`, () => {
      assert.throws(() => load(wrong), /--payload-limits must be kind=bytes pairs/);
    });
  }
});

describe('limits of PostgreSQL', () => {
  const load = (env: Record<string, string>) =>
    loadServerConfig({ flags: {}, configFile: undefined, env, cwd: tmpdir(), command: 'start' });
  const limits = (text: string) => load({ DURABLETASK_POSTGRES_LIMITS: text });

  it('take those that are named and leave the others as they are', () => {
    const { config, sources } = limits('readers=8,statementMs=60000');
    assert.deepEqual(config.postgresLimits, {
      ...DEFAULT_POSTGRES_LIMITS,
      ...{ readers: 8, statementMs: 60_000 },
    });
    assert.equal(sources.postgresLimits, 'environment');
  });

  for (const wrong of ['readers', 'readers=0', 'rounds=9', 'connections=5', 'lockMs=1.5']) {
    it(`refuse ${wrong}, naming rule and default`, () => {
      assert.throws(
        () => limits(wrong),
        /DURABLETASK_POSTGRES_LIMITS must be name=number pairs: rounds from 1 to 8,.*Leave it out for \{?rounds:4,/,
      );
    });
  }

  it('are in the documentation, each with its default', async () => {
    const text = await readFile(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8');
    for (const [name, value] of Object.entries<number>({ ...DEFAULT_POSTGRES_LIMITS })) {
      const shown = value.toLocaleString('en-US');
      assert.match(text, new RegExp(`^\\| \`${name}\` +\\| ${shown} +\\|`, 'm'));
    }
  });
});

describe('rate limits of task hubs', () => {
  const load = (text: string) =>
    loadServerConfig({
      ...{ flags: { hubRateLimits: text }, configFile: undefined },
      ...{ env: {}, cwd: tmpdir(), command: 'start' },
    }).config.hubRateLimits;

  it('are numbers by hub, with * for the others', () => {
    assert.deepEqual(load('loud=500, *=2000'), { loud: 500, '*': 2000 });
  });

  for (const wrong of ['loud', 'loud=0', 'a b=5', '=5', 'loud=1.5']) {
    it(`refuse ${wrong}, naming the rule`, () => {
      assert.throws(() => load(wrong), /--hub-rate-limits must be hub=number pairs/);
    });
  }
});
