import assert from 'node:assert/strict';
import { channelCredentials, tlsProblem } from '../../src/client/channel-credentials.ts';

describe('channel credentials', () => {
  it('name the key whose file cannot be read', () => {
    assert.throws(() => channelCredentials({ isTls: true, caFile: '/nowhere/ca.pem' }), {
      code: 'INVALID_ARGUMENT',
      message: '"CaFile" /nowhere/ca.pem cannot be read (ENOENT); name a PEM file',
    });
  });

  it('want a client certificate and its key together', () => {
    assert.throws(() => channelCredentials({ isTls: true, clientCertFile: import.meta.filename }), {
      message: /"ClientCertFile" and "ClientKeyFile" need each other/,
    });
  });

  it('look at no file without TLS', () => {
    assert.equal(channelCredentials({ isTls: false, caFile: '/nowhere' })._isSecure(), false);
  });

  it('tell a certificate that is not trusted from other failures', () => {
    const problem = (text: string) =>
      tlsProblem(
        `No connection established. Last error: Error: ${text}. Resolution note: `,
        'https://h',
      );

    assert.match(
      problem('self-signed certificate in certificate chain') ?? '',
      /^The certificate of https:\/\/h is not trusted \(self-signed certificate in certificate chain\); name its CA/,
    );
    assert.match(
      problem('certificate has expired') ?? '',
      /not trusted \(certificate has expired\)/,
    );
    assert.match(problem('write EPROTO 1:error:wrong version number') ?? '', /answer with TLS/);
    assert.equal(problem('connect ECONNREFUSED 127.0.0.1:1'), undefined);
  });
});
