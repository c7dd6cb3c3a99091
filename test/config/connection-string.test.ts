import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  AUTHENTICATION_VALUES,
  formatConnectionString,
  parseConnectionString,
  parseEndpoint,
} from '../../src/config/connection-string.ts';
import { TaskHubError } from '../../src/core/errors.ts';

const word = fc.stringMatching(/^[A-Za-z0-9/_.-]{1,12}$/);
const connectionStrings = fc.record(
  {
    endpoint: fc.constantFrom(
      'http://localhost:8080',
      'https://a.durabletask.io',
      'http://[::1]:9',
    ),
    taskHub: word,
    authentication: fc.constantFrom(...AUTHENTICATION_VALUES),
    clientId: word,
    tenantId: word,
    tokenFilePath: word,
    caFile: word,
    clientCertFile: word,
    clientKeyFile: word,
    additionallyAllowedTenants: fc.array(word, { maxLength: 3 }),
  },
  {
    requiredKeys: ['endpoint', 'taskHub', 'authentication', 'additionallyAllowedTenants'],
    noNullPrototype: true,
  },
);

describe('connection string', () => {
  it('is the same after it was written and read', () => {
    fc.assert(
      fc.property(connectionStrings, (value) => {
        assert.deepEqual(parseConnectionString(formatConnectionString(value)), value);
      }),
    );
  });

  it('ignores the case of keys and authentication values, blanks, order and empty pairs', () => {
    const value = parseConnectionString(
      ' authentication = NONE ;;TASKHUB=h; eNdPoInT=http://localhost:8080/ ;Other=1',
    );

    assert.deepEqual(value, {
      endpoint: 'http://localhost:8080',
      taskHub: 'h',
      authentication: 'None',
      additionallyAllowedTenants: [],
    });
  });

  it('takes everything after the first equals sign as the value', () => {
    const value = parseConnectionString(
      'Endpoint=http://h:1;TaskHub=a;TaskHub=b=c;Authentication=None',
    );

    assert.equal(value.taskHub, 'b=c');
  });

  it('means https by an endpoint without a scheme', () => {
    assert.equal(parseEndpoint('name.durabletask.io'), 'https://name.durabletask.io');
    assert.equal(parseEndpoint('localhost:8080'), 'https://localhost:8080');
  });

  it('takes the default task hub only when it names none', () => {
    const rest = 'Endpoint=http://h:1;Authentication=None';

    assert.equal(parseConnectionString(rest, { defaultTaskHub: 'd' }).taskHub, 'd');
    assert.equal(parseConnectionString(`${rest};TaskHub=x`, { defaultTaskHub: 'd' }).taskHub, 'x');
  });

  for (const [text, message] of [
    ['', /connection string is empty/],
    ['TaskHub=h;Authentication=None', /no value for "Endpoint"/],
    ['Endpoint=http://h;Authentication=None', /no value for "TaskHub"/],
    ['Endpoint=http://h;TaskHub=h', /no value for "Authentication"/],
    ['Endpont=http://h;TaskHub=h;Authentication=None', /"Endpoint" \(unknown: "endpont"\)/],
    ['Endpoint=ftp://h;TaskHub=h;Authentication=None', /"Endpoint" must be an http or https/],
    ['Endpoint=http://u:p@h;TaskHub=h;Authentication=None', /must not contain a user name/],
    ['Endpoint=http://h;TaskHub=h;Authentication=Magic', /"Authentication" must be one of None,/],
    [
      'Endpoint=http://h;TaskHub=h;Authentication=ManagedIdentiy',
      /InteractiveBrowser \(did you mean 'ManagedIdentity'\?\)$/,
    ],
  ] as const) {
    it(`names what is wrong with "${text}"`, () => {
      assert.throws(() => parseConnectionString(text), { code: 'INVALID_ARGUMENT', message });
    });
  }

  it('never repeats a value in its errors', () => {
    const secret = 's3cret';

    for (const text of [
      `Endpoint=http://h;TaskHub=h;Authentication=${secret}`,
      `Endpoint=http://u:${secret}@h;TaskHub=h;Authentication=None`,
      `Endpoint=::${secret};TaskHub=h;Authentication=None`,
      `AccountKey=${secret};${secret}=1`,
    ]) {
      assert.throws(
        () => parseConnectionString(text),
        (error) => error instanceof TaskHubError && !error.message.includes(secret),
      );
    }
  });

  it('refuses to write a value that would not come back', () => {
    const value = parseConnectionString('Endpoint=http://h;TaskHub=h;Authentication=None');

    assert.throws(() => formatConnectionString({ ...value, clientId: 'a;b' }), {
      code: 'INVALID_ARGUMENT',
      message: /"ClientID"/,
    });
  });
});
