/**
 * Turns protos/*.proto into src/proto/*_pb.ts. Needs the operating system's `protoc`
 * (Debian: apt-get install protobuf-compiler); the output is committed, so nobody else does.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = readdirSync(`${root}/protos`, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.proto'),
);
execFileSync(
  'protoc',
  [
    '-I',
    'protos',
    `--plugin=protoc-gen-es=${root}/node_modules/.bin/protoc-gen-es`,
    '--es_out=src/proto',
    '--es_opt=target=ts,import_extension=ts,erasable_syntax=true',
    ...files,
  ],
  { cwd: root, stdio: 'inherit' },
);
