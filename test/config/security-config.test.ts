import assert from 'node:assert/strict';
import {
  completeServerConfig,
  ConfigError,
  loadServerConfig,
} from '../../src/config/load-server-config.ts';
import { assignmentsOf } from '../../src/config/security-config.ts';

const ISSUER = 'https://issuer.example/tenant';

function problemsOf(options: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    completeServerConfig(options, []);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('security configuration', () => {
  it('lets the scheduler listen beyond loopback with TLS and authentication', () => {
    const guarded = { tlsCert: 'cert.pem', tlsKey: 'key.pem', authIssuers: [ISSUER] };

    assert.deepEqual(problemsOf({ host: '0.0.0.0', ...guarded }), []);
  });

  it('names a client to sign in with only where somebody is asked', () => {
    const [problem = ''] = problemsOf({ signInClientId: 'dashboard' });
    assert.match(problem, /^signInClientId has no effect without --auth-issuers/);
    assert.deepEqual(problemsOf({ signInClientId: 'dashboard', authIssuers: [ISSUER] }), []);
    assert.match(problemsOf({ signInScopes: ['two words'] })[0] ?? '', /must be scopes of tokens/);
  });

  for (const [missing, options] of [
    ['TLS or authentication', {}],
    ['TLS', { authIssuers: [ISSUER] }],
    ['authentication', { tlsCert: 'cert.pem', tlsKey: 'key.pem' }],
    ['authentication', { tlsCert: 'c.pem', tlsKey: 'k.pem', tlsClientCa: 'ca.pem' }],
  ] as const) {
    it(`does not with ${Object.keys(options).join(' and ') || 'nothing'} alone`, () => {
      const [problem = ''] = problemsOf({ host: '0.0.0.0', ...options });

      assert.ok(
        problem.startsWith(`host 0.0.0.0 would let other machines in, without ${missing}.`),
      );
      assert.deepEqual(problemsOf({ host: '0.0.0.0', allowInsecure: true, ...options }), []);
    });
  }

  it('wants certificate and key together', () => {
    assert.deepEqual(problemsOf({ tlsKey: 'key.pem' }), [
      'tlsKey needs --tls-cert beside it. Give both, or neither.',
    ]);
    assert.match(problemsOf({ tlsClientCa: 'ca.pem' })[0] ?? '', /tlsClientCa .* needs TLS/);
  });

  for (const url of ['issuer.example', 'http://issuer.example', 'https://issuer.example/?x=1']) {
    it(`refuses the issuer ${url}`, () => {
      assert.match(problemsOf({ authIssuers: [url] })[0] ?? '', /must be https addresses of OIDC/);
    });
  }

  it('takes role assignments as JSON from the environment, by any name of a role', () => {
    const text =
      '[{"role": "Durable Task Data Reader", "assignee": "g1", "assigneeType": "group", "taskHub": "orders"}]';
    const { config } = loadServerConfig({
      flags: { authIssuers: ISSUER },
      env: { DURABLETASK_ROLE_ASSIGNMENTS: text },
      ...{ configFile: undefined, cwd: '/', command: 'start' },
    });

    assert.deepEqual(assignmentsOf(config), [
      { role: 'reader', assignee: 'g1', assigneeType: 'group', taskHub: 'orders', issuer: ISSUER },
    ]);
  });

  it('refuses role assignments that are wrong, or that nobody would look at', () => {
    const assignment = { role: 'reader', assignee: 'a' };
    for (const wrong of ['no json', [{ role: 'owner', assignee: 'a' }], [{ role: 'reader' }]]) {
      const [problem = ''] = problemsOf({ authIssuers: [ISSUER], roleAssignments: wrong });
      assert.match(problem, /roleAssignments must be a JSON list/);
    }
    assert.match(
      problemsOf({ roleAssignments: [assignment] })[0] ?? '',
      /roleAssignments has no effect without --auth-issuers/,
    );
  });

  it('wants an assignment to name its issuer when there are several', () => {
    const authIssuers = [ISSUER, 'https://other.example'];
    const of = (issuer?: string) => [{ role: 'reader', assignee: 'a', ...(issuer && { issuer }) }];

    assert.deepEqual(problemsOf({ authIssuers, roleAssignments: of(ISSUER) }), []);
    for (const issuer of [undefined, 'https://third.example']) {
      const [problem = ''] = problemsOf({ authIssuers, roleAssignments: of(issuer) });
      assert.match(problem, /the assignment to 'a' must name one of the issuers/);
    }
  });

  it('refuses to guard the scheduler of dev, which one app on this machine uses', () => {
    assert.throws(
      () =>
        loadServerConfig({
          flags: { authIssuers: ISSUER },
          ...{ env: {}, configFile: undefined, cwd: '/', command: 'dev' },
        }),
      /--auth-issuers is not for dev/,
    );
  });
});
