/** Our protos against the wire schema of the real service: nothing missing, nothing extra, every number equal. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  ScalarType,
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
} from '@bufbuild/protobuf';
import { file_backend_service } from '../../src/proto/backend_service_pb.ts';
import { file_orchestrator_service } from '../../src/proto/orchestrator_service_pb.ts';

interface SchemaField {
  readonly type: string;
  readonly id: number;
  readonly rule?: 'repeated';
  readonly keyType?: string;
}

interface SchemaMethod {
  readonly requestType: string;
  readonly responseType: string;
  readonly requestStream?: boolean;
  readonly responseStream?: boolean;
}

/** One node of a schema in the JSON form of protobufjs. */
interface SchemaNode {
  readonly nested?: Readonly<Record<string, SchemaNode>>;
  readonly fields?: Readonly<Record<string, SchemaField>>;
  readonly oneofs?: Readonly<Record<string, { readonly oneof: readonly string[] }>>;
  readonly values?: Readonly<Record<string, number>>;
  readonly methods?: Readonly<Record<string, SchemaMethod>>;
  readonly reserved?: readonly (readonly [number, number] | string)[];
}

/** Everything of a schema that is on the wire, by full name. */
interface Flat {
  readonly messages: Record<string, Record<string, string>>;
  readonly reserved: Record<string, readonly (readonly number[])[]>;
  readonly enums: Record<string, Record<string, number>>;
  readonly methods: Record<string, string>;
}

const emptyFlat = (): Flat => ({ messages: {}, reserved: {}, enums: {}, methods: {} });

const root = JSON.parse(
  readFileSync(new URL('../fixtures/wire-schema.json', import.meta.url), 'utf8'),
) as SchemaNode;

function has(fullName: string): boolean {
  let node: SchemaNode | undefined = root;
  for (const part of fullName.split('.')) node = node?.nested?.[part];
  return node !== undefined;
}

const SCALARS = new Set(
  Object.keys(ScalarType)
    .filter((name) => /^[A-Z]/.test(name))
    .map((name) => name.toLowerCase()),
);

/** A type's full name, looked for outwards from where it is used. */
function resolve(type: string, scope: readonly string[]): string {
  if (SCALARS.has(type)) return type;
  if (type.startsWith('.')) return type.slice(1);
  for (let depth = scope.length; depth >= 0; depth -= 1) {
    const name = [...scope.slice(0, depth), type].join('.');
    if (has(name)) return name;
  }
  throw new Error(`type ${type} is not in the schema`);
}

function flatten(node: SchemaNode, path: readonly string[], flat: Flat): Flat {
  for (const [name, child] of Object.entries(node.nested ?? {})) {
    const childPath = [...path, name];
    const fullName = childPath.join('.');
    if (fullName === 'google') continue;
    if (child.fields) {
      flat.messages[fullName] = flattenFields(child, childPath);
      flat.reserved[fullName] = (child.reserved ?? []).filter((range) => typeof range !== 'string');
    }
    if (child.values) flat.enums[fullName] = { ...child.values };
    for (const [method, shape] of Object.entries(child.methods ?? {})) {
      const [request, response] = [shape.requestType, shape.responseType].map((type) =>
        resolve(type, childPath),
      );
      const streams = methodKind(shape.requestStream === true, shape.responseStream === true);
      flat.methods[`/${fullName}/${method}`] = `${request} ${response} ${streams}`;
    }
    flatten(child, childPath, flat);
  }
  return flat;
}

function methodKind(isRequestStream: boolean, isResponseStream: boolean): string {
  if (isRequestStream) return isResponseStream ? 'bidi_streaming' : 'client_streaming';
  return isResponseStream ? 'server_streaming' : 'unary';
}

function flattenFields(message: SchemaNode, path: readonly string[]): Record<string, string> {
  const oneofOf = new Map(
    Object.entries(message.oneofs ?? {}).flatMap(([oneof, members]) =>
      members.oneof.map((field) => [field, oneof] as const),
    ),
  );
  return Object.fromEntries(
    Object.entries(message.fields ?? {}).map(([name, field]) => {
      const type = resolve(field.type, path);
      const label =
        field.keyType === undefined
          ? `${field.rule ?? 'single'} ${type}`
          : `map ${field.keyType} ${type}`;
      return [name, `${field.id} ${label} ${oneofOf.get(name) ?? '-'}`];
    }),
  );
}

function describeFile(file: DescFile, flat: Flat): Flat {
  for (const message of file.messages) describeMessage(message, flat);
  for (const found of file.enums) describeEnum(found, flat);
  for (const service of file.services) {
    for (const method of service.methods) {
      const { input, output } = method;
      flat.methods[`/${service.typeName}/${method.name}`] =
        `${input.typeName} ${output.typeName} ${method.methodKind}`;
    }
  }
  return flat;
}

function describeMessage(message: DescMessage, flat: Flat): void {
  flat.messages[message.typeName] = Object.fromEntries(
    message.fields.map((field) => [
      field.localName,
      `${field.number} ${labelOf(field)} ${field.oneof?.localName ?? '-'}`,
    ]),
  );
  flat.reserved[message.typeName] = message.proto.reservedRange.map(({ start, end }) => [
    start,
    end - 1,
  ]);
  for (const nested of message.nestedMessages) describeMessage(nested, flat);
  for (const nested of message.nestedEnums) describeEnum(nested, flat);
}

function describeEnum(found: DescEnum, flat: Flat): void {
  flat.enums[found.typeName] = Object.fromEntries(
    found.values.map(({ name, number }) => [name, number]),
  );
}

function labelOf(field: DescField): string {
  switch (field.fieldKind) {
    case 'map':
      return `map ${scalarName(field.mapKey)} ${typeOf(field, field.mapKind)}`;
    case 'list':
      return `repeated ${typeOf(field, field.listKind)}`;
    default:
      return `single ${typeOf(field, field.fieldKind)}`;
  }
}

function typeOf(field: DescField, kind: 'message' | 'enum' | 'scalar'): string {
  if (kind === 'message') return field.message?.typeName ?? '';
  if (kind === 'enum') return field.enum?.typeName ?? '';
  return scalarName(field.scalar ?? ScalarType.STRING);
}

function scalarName(type: ScalarType): string {
  return ScalarType[type].toLowerCase();
}

describe('wire schema', () => {
  const expected = flatten(root, [], emptyFlat());
  const actual = emptyFlat();
  describeFile(file_orchestrator_service, actual);
  describeFile(file_backend_service, actual);

  it('has every message with every field: number, label, type and oneof', () => {
    assert.ok(Object.keys(expected.messages).length > 150);
    assert.deepEqual(actual.messages, expected.messages);
  });

  it('has every reserved number', () => {
    assert.ok(Object.values(expected.reserved).some((ranges) => ranges.length > 0));
    assert.deepEqual(actual.reserved, expected.reserved);
  });

  it('has every enum value', () => {
    assert.equal(Object.keys(expected.enums).length, 2);
    assert.deepEqual(actual.enums, expected.enums);
  });

  it('has every method of both services, with its streaming shape', () => {
    assert.equal(Object.keys(expected.methods).length, 57);
    assert.deepEqual(actual.methods, expected.methods);
  });

  it('serves the sidecar without a package, the backend in its own', () => {
    assert.deepEqual(
      [file_orchestrator_service, file_backend_service].map(({ proto, services }) => [
        proto.package,
        services.map(({ typeName }) => typeName),
      ]),
      [
        ['', ['TaskHubSidecarService']],
        ['durabletask.protos.backend.v1', ['durabletask.protos.backend.v1.BackendService']],
      ],
    );
  });
});
