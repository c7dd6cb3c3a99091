/**
 * The rooms of src/ and what each may import (docs/ARCHITECTURE.md). Anything not listed is forbidden.
 * Built-ins and npm packages: `npm` names what a room may load beside its own list of rooms.
 */
const rooms = {
  proto: { rooms: [], npm: ['@bufbuild/protobuf'], node: false },
  base: { rooms: [], npm: [], node: true },
  wire: { rooms: ['proto', 'base'], npm: ['@bufbuild/protobuf'], node: false },
  core: { rooms: ['proto', 'wire', 'base'], npm: ['@bufbuild/protobuf'], node: ['assert'] },
  replay: { rooms: ['proto', 'core'], npm: ['@bufbuild/protobuf'], node: ['assert'] },
  storage: {
    rooms: ['core', 'proto', 'wire', 'base', 'telemetry'],
    npm: ['@bufbuild/protobuf', 'pg'],
    node: true,
  },
  scheduler: {
    rooms: [
      'core',
      'proto',
      'wire',
      'base',
      'telemetry',
      'storage/store.ts',
      'storage/inspection.ts',
    ],
    npm: ['@bufbuild/protobuf'],
    node: ['assert'],
  },
  telemetry: { rooms: ['base'], npm: ['@opentelemetry', 'applicationinsights'], node: true },
  config: { rooms: ['core', 'base', 'telemetry'], npm: ['zod'], node: true },
  server: {
    rooms: ['proto', 'wire', 'core', 'base', 'telemetry', 'config', 'storage', 'scheduler'],
    npm: ['@bufbuild/protobuf', '@grpc/grpc-js', 'hono', '@hono/node-server', 'jose', 'zod'],
    node: true,
  },
  client: {
    rooms: ['proto', 'wire', 'core', 'base', 'telemetry', 'config'],
    npm: ['@bufbuild/protobuf', '@grpc/grpc-js', '@azure/identity', '@opentelemetry/api'],
    node: true,
  },
  worker: {
    rooms: ['proto', 'wire', 'core', 'base', 'telemetry', 'config', 'replay', 'client'],
    npm: ['@bufbuild/protobuf', '@grpc/grpc-js', '@opentelemetry/api'],
    node: true,
  },
  functions: {
    rooms: ['proto', 'wire', 'core', 'base', 'telemetry', 'config', 'replay', 'client', 'worker'],
    npm: [
      '@bufbuild/protobuf',
      '@azure/functions',
      '@azure/identity',
      'durable-functions',
      '@opentelemetry',
    ],
    node: true,
  },
  testing: {
    rooms: [
      ...['proto', 'wire', 'core', 'base', 'telemetry', 'replay', 'storage', 'scheduler'],
      ...['client', 'worker', 'functions', 'server/grpc'],
    ],
    npm: ['@bufbuild/protobuf', 'durable-functions'],
    node: true,
  },
  register: { rooms: ['functions', 'index.ts'], npm: [], node: true },
  devhost: {
    rooms: ['base', 'config', 'telemetry'],
    npm: ['@azure/functions', 'hono', '@hono/node-server', 'croner'],
    node: true,
  },
  cli: {
    rooms: [
      'core/errors.ts',
      'core/roles.ts',
      'base',
      'config',
      'client',
      'server',
      'telemetry',
      'devhost',
    ],
    npm: ['commander', 'zod'],
    node: true,
  },
};

const escape = (text) => text.replaceAll('.', '\\.');
const own = (name) => (name.endsWith('.ts') ? `^src/${escape(name)}$` : `^src/${name}/`);

const roomRules = Object.entries(rooms).flatMap(([room, may]) => [
  {
    name: `${room}-rooms`,
    comment: `src/${room} may import only: ${may.rooms.join(', ') || 'no other room'}`,
    severity: 'error',
    from: { path: `^src/${room}/` },
    to: { path: '^src/', pathNot: [`^src/${room}/`, ...may.rooms.map(own)] },
  },
  {
    name: `${room}-packages`,
    comment: `src/${room} may load only: ${may.npm.join(', ') || 'no package'}`,
    severity: 'error',
    from: { path: `^src/${room}/` },
    to: {
      dependencyTypes: ['npm', 'npm-dev', 'npm-peer', 'npm-optional', 'npm-no-pkg', 'npm-unknown'],
      ...(may.npm.length > 0 && { pathNot: may.npm.map((name) => `node_modules/${name}`) }),
    },
  },
  ...(may.node === true
    ? []
    : [
        {
          name: `${room}-builtins`,
          comment: `src/${room} is pure: built-ins allowed: ${may.node ? may.node.join(', ') : 'none'}`,
          severity: 'error',
          from: { path: `^src/${room}/` },
          to: {
            dependencyTypes: ['core'],
            ...(may.node && { pathNot: may.node.map((name) => `^(node:)?${name}`) }),
          },
        },
      ]),
]);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...roomRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/dashboard/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js'],
    },
  },
};
