/** X.509 certificates for tests, written by hand: Node reads them but makes none. */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OID = {
  commonName: '550403',
  ecdsaWithSha256: '2a8648ce3d040302',
  basicConstraints: '551d13',
  subjectAltName: '551d11',
} as const;
const DAY_MS = 86_400_000;

function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}
const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
const oid = (name: keyof typeof OID): Buffer => tlv(0x06, Buffer.from(OID[name], 'hex'));
const bits = (value: Uint8Array): Buffer => tlv(0x03, Buffer.from([0]), value);
const octets = (value: Uint8Array): Buffer => tlv(0x04, value);
const time = (at: number): Buffer => {
  const text = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '');
  return tlv(0x18, Buffer.from(text));
};
const nameOf = (text: string): Buffer =>
  sequence(tlv(0x31, sequence(oid('commonName'), tlv(0x0c, Buffer.from(text)))));

interface Pair {
  readonly certPem: string;
  readonly keyPem: string;
  readonly name: string;
  readonly privateKey: KeyObject;
}

interface Wanted {
  readonly name: string;
  /** `undefined`: signed by itself, as a CA. */
  readonly by?: Pair;
  readonly endsAt?: number;
}

function issue({ name, by, endsAt = Date.now() + DAY_MS }: Wanted): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid('ecdsaWithSha256'));
  const isCa = by === undefined;
  const extension = isCa
    ? sequence(oid('basicConstraints'), octets(sequence(tlv(0x01, Buffer.from([0xff])))))
    : sequence(
        oid('subjectAltName'),
        octets(sequence(tlv(0x82, Buffer.from(name)), tlv(0x87, Buffer.from([127, 0, 0, 1])))),
      );
  const toBeSigned = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    nameOf(by?.name ?? name),
    sequence(time(Math.min(Date.now(), endsAt) - DAY_MS), time(endsAt)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(extension)),
  );
  const signature = sign('sha256', toBeSigned, by?.privateKey ?? privateKey);
  const base64 = sequence(toBeSigned, algorithm, bits(signature)).toString('base64');
  const lines = base64.replace(/.{64}/g, '$&\n').trim();
  return {
    certPem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    name,
    privateKey,
  };
}

/** PEM files in a folder of their own: a CA, a server of localhost and 127.0.0.1, a client. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'durabletask-tls-'));
  readonly #ca = issue({ name: 'Test CA' });
  readonly caFile = this.#write('ca.pem', this.#ca.certPem);
  readonly server = this.issue('localhost');
  readonly client = this.issue('client');

  issue(name: string, options: { readonly endsAt?: number } = {}) {
    const pair = issue({ name, by: this.#ca, ...options });
    return {
      certFile: this.#write(`${name}.pem`, pair.certPem),
      keyFile: this.#write(`${name}-key.pem`, pair.keyPem),
    };
  }

  #write(file: string, text: string): string {
    const path = join(this.folder, file);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
