/** What docs/scaling gives to KEDA and Azure: parsed, and as far as it speaks of us, tried on a scheduler. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { ExternalScaler } from '../../../src/proto/external_scaler_pb.ts';
import { METRICS } from '../../../src/telemetry/metrics.ts';
import { ApiFixture } from '../http/api/api-fixture.ts';
import { RawClient } from '../support/raw-client.ts';

const texts = z.record(z.string(), z.string());
const name = z.strictObject({ name: z.string() });
const scaledObject = z.strictObject({
  apiVersion: z.literal('keda.sh/v1alpha1'),
  kind: z.literal('ScaledObject'),
  metadata: name,
  spec: z.strictObject({
    scaleTargetRef: name,
    minReplicaCount: z.int().min(0),
    maxReplicaCount: z.int().min(1),
    triggers: z
      .array(
        z.strictObject({
          type: z.enum(['external', 'external-push', 'metrics-api']),
          metadata: texts,
          authenticationRef: name.optional(),
        }),
      )
      .length(1),
  }),
});
const triggerAuthentication = z.strictObject({
  apiVersion: z.literal('keda.sh/v1alpha1'),
  kind: z.literal('TriggerAuthentication'),
  metadata: name,
  spec: z.strictObject({
    secretTargetRef: z.array(
      z.strictObject({ parameter: z.literal('token'), name: z.string(), key: z.string() }),
    ),
  }),
});
const containerApp = z.object({
  properties: z.object({
    template: z.object({
      scale: z.strictObject({
        minReplicas: z.literal(0),
        maxReplicas: z.int().min(1),
        rules: z.array(
          z.strictObject({
            name: z.string(),
            custom: z.strictObject({
              type: z.literal('azure-durabletask-scheduler'),
              identity: z.string(),
              metadata: texts,
            }),
          }),
        ),
      }),
    }),
  }),
});

function read(path: string): string {
  return readFileSync(new URL(`../../../docs/${path}`, import.meta.url), 'utf8');
}

function parse(file: string): readonly unknown[] {
  return parseAllDocuments(read(`scaling/${file}`)).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as unknown;
  });
}

describe('KEDA files of docs/scaling', () => {
  let api: ApiFixture;
  let client: RawClient;
  before(async () => {
    api = await ApiFixture.open();
    client = new RawClient(Number(new URL(api.scheduler.grpcEndpoint).port));
  });
  after(async () => {
    client.close();
    await api.close();
  });

  const metricNames = async (metadata: Readonly<Record<string, string>>) => {
    const ref = { name: 'app', namespace: 'default', scalerMetadata: metadata };
    const { metricSpecs } = await client.call(ExternalScaler.method.getMetricSpec, ref);
    return metricSpecs.map(({ metricName, targetSizeFloat }) => [metricName, targetSizeFloat]);
  };

  it('are what the scheduler understands', async () => {
    const [object] = parse('keda-scaled-object.yaml').map((each) => scaledObject.parse(each));
    const metadata = object?.spec.triggers[0]?.metadata ?? {};
    assert.match(metadata['scalerAddress'] ?? '', /^[\w-]+:8080$/);
    assert.deepEqual(await metricNames(metadata), [
      ['durabletask-default-orchestration', 10],
      ['durabletask-default-activity', 10],
      ['durabletask-default-entity', 10],
    ]);
  });

  it('read a number where the scale endpoint has one, with a token', async () => {
    const [authentication, object] = parse('keda-scaled-object-with-token.yaml');
    const { metadata } = triggerAuthentication.parse(authentication);
    const [trigger] = scaledObject.parse(object).spec.triggers;
    assert.equal(trigger?.authenticationRef?.name, metadata.name);
    const { url = '', valueLocation = '', targetValue, authMode } = trigger.metadata;
    assert.deepEqual([targetValue, authMode], ['1', 'bearer']);
    const { pathname } = new URL(url);
    const answer = await fetch(api.scheduler.httpEndpoint + pathname);
    const body = (await answer.json()) as Readonly<Record<string, unknown>>;
    assert.equal(typeof body[valueLocation], 'number');
  });

  it("keep the metadata of Container Apps' rule, which the scheduler understands too", async () => {
    const [app] = parse('container-app.yaml').map((each) => containerApp.parse(each));
    const rules = app?.properties.template.scale.rules ?? [];
    const names = await Promise.all(rules.map(({ custom }) => metricNames(custom.metadata)));
    assert.deepEqual(names.flat(), [
      ['durabletask-default-orchestration', 10],
      ['durabletask-default-activity', 10],
    ]);
  });

  it('are what docs/SCALING.md shows', () => {
    const [shown] = /(?<=```yaml\n)[^`]*/.exec(read('SCALING.md')) ?? [];
    assert.equal(shown, read('scaling/keda-scaled-object.yaml').replace(/^#.*\n/, ''));
  });
});

/** No compiler of Bicep is in the npm registry: this finds slips, it does not prove that Azure takes the files. */
describe('Bicep files of docs/scaling', () => {
  for (const file of ['app-service.bicep', 'elastic-premium.bicep']) {
    const text = read(`scaling/${file}`).replace(/^\/\/.*$/gm, '');
    const code = text.replace(/'[^']*'/g, "''");

    it(`close what they open, in ${file}`, () => {
      const open: string[] = [];
      for (const [bracket] of code.matchAll(/[()[\]{}]/g)) {
        if ('([{'.includes(bracket)) open.push(bracket);
        else assert.equal(`${open.pop()}${bracket}`.match(/^(\(\)|\[\]|\{\})$/)?.length, 2);
      }
      assert.deepEqual(open, []);
    });

    it(`declare all they refer to and use all they declare, in ${file}`, () => {
      const declared = [...text.matchAll(/^(?:param|resource) (\w+)/gm)].map(([, each]) => each);
      const values = [...text.matchAll(/(?:: |\(|\$\{)([a-z]\w*)(?=\.id|\)|\}|$)/gim)];
      const used = new Set(values.map(([, each]) => each ?? ''));
      const literals = new Set(['true', 'false']);
      const unknown = [...used].filter((each) => !declared.includes(each) && !literals.has(each));
      assert.deepEqual(unknown, []);
      const params = [...text.matchAll(/^param (\w+)/gm)].map(([, each]) => each ?? '');
      assert.ok(params.length > 3);
      assert.deepEqual(
        params.filter((each) => !used.has(each)),
        [],
      );
    });
  }

  it('scale by a metric that there is, and set what the plans need', () => {
    const appService = read('scaling/app-service.bicep');
    const metrics = [...appService.matchAll(/metricName: '([^']*)'/g)].map(([, each]) => each);
    assert.deepEqual(metrics, [METRICS.targetWorkers.instrument, METRICS.targetWorkers.instrument]);
    assert.match(appService, /alwaysOn: true/);
    const premium = read('scaling/elastic-premium.bicep');
    assert.match(premium, /minimumElasticInstanceCount: alwaysReadyInstances/);
    assert.match(premium, /functionsRuntimeScaleMonitoringEnabled: false/);
  });
});
