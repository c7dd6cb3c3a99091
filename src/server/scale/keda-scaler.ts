/**
 * KEDA's external scaler. Its metadata is that of Container Apps' rule `azure-durabletask-scheduler`: `taskhubName`,
 * `workItemType` and `maxConcurrentWorkItemsCount`; `endpoint` may stay and is not looked at. KEDA asks for
 * ceil(value / target) replicas and takes the largest of several metrics, which is the scale formula again.
 */
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { isAbort } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { invalidArgument } from '../../core/errors.ts';
import {
  IsActiveResponseSchema,
  type GetMetricSpecResponseSchema,
  type GetMetricsRequest,
  type GetMetricsResponseSchema,
  type ScaledObjectRef,
} from '../../proto/external_scaler_pb.ts';
import type { HubFigures, KindFigures } from '../../scheduler/figures.ts';
import { WORK_KINDS, type WorkKind } from '../../storage/store.ts';
import type { CallContext } from '../grpc/call-context.ts';
import type { CallSink } from '../grpc/call-sink.ts';
import { figuresOf } from './scale-route.ts';
import type { ScaleServiceOptions } from './services.ts';

/** How often a pushed stream looks whether there is work. */
const STREAM_LOOK_MS = 1000;
const PER_WORKER_MAX = 1_000_000;

interface Asked {
  readonly hub: string;
  readonly kinds: readonly WorkKind[];
  /** `undefined`: what connected workers do at once. */
  readonly perWorker: number | undefined;
}

export class KedaScaler {
  readonly #options: ScaleServiceOptions;
  readonly #clock: Clock;

  constructor(options: ScaleServiceOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  async isActive(
    ref: ScaledObjectRef,
    call: CallContext,
  ): Promise<MessageInitShape<typeof IsActiveResponseSchema>> {
    return { result: await this.#isActive(this.#admit(ref, call)) };
  }

  /** Tells at once, and then each time that it changes. */
  async streamIsActive(ref: ScaledObjectRef, call: CallContext, sink: CallSink): Promise<void> {
    const asked = this.#admit(ref, call);
    let told: boolean | undefined;
    while (!sink.closed.aborted) {
      const result = await this.#isActive(asked);
      if (result !== told) {
        sink.push(toBinary(IsActiveResponseSchema, create(IsActiveResponseSchema, { result })));
      }
      told = result;
      await this.#pause(sink.closed);
    }
  }

  async metricSpec(
    ref: ScaledObjectRef,
    call: CallContext,
  ): Promise<MessageInitShape<typeof GetMetricSpecResponseSchema>> {
    const asked = this.#admit(ref, call);
    const { kinds } = await figuresOf(this.#options.engine, asked.hub);
    const metricSpecs = asked.kinds.map((kind) => {
      const target = Math.max(1, asked.perWorker ?? kinds[kind].perWorker);
      return {
        metricName: metricName(asked.hub, kind),
        ...{ targetSize: BigInt(target), targetSizeFloat: target },
      };
    });
    return { metricSpecs };
  }

  async metrics(
    { scaledObjectRef, metricName: wanted }: GetMetricsRequest,
    call: CallContext,
  ): Promise<MessageInitShape<typeof GetMetricsResponseSchema>> {
    if (!scaledObjectRef) throw invalidArgument('scaledObjectRef is missing; KEDA sends it');
    const asked = this.#admit(scaledObjectRef, call);
    const { kinds } = await figuresOf(this.#options.engine, asked.hub);
    const metricValues = asked.kinds
      .filter((kind) => wanted === '' || isMetric(wanted, metricName(asked.hub, kind)))
      .map((kind) => ({
        metricName: metricName(asked.hub, kind),
        ...{ metricValue: BigInt(workOf(kinds[kind])), metricValueFloat: workOf(kinds[kind]) },
      }));
    if (metricValues.length > 0) return { metricValues };
    throw invalidArgument(
      `there is no metric '${wanted.slice(0, 200)}' here; GetMetricSpec names those that there are`,
    );
  }

  #admit(ref: ScaledObjectRef, { caller }: CallContext): Asked {
    const asked = readMetadata(ref.scalerMetadata);
    const { engine, guard } = this.#options;
    if (guard && caller) guard.require(caller, 'connect', asked.hub);
    engine.assertTaskHub(asked.hub);
    return asked;
  }

  async #isActive({ hub, kinds }: Asked): Promise<boolean> {
    const figures: HubFigures = await figuresOf(this.#options.engine, hub);
    return kinds.some((kind) => workOf(figures.kinds[kind]) > 0);
  }

  async #pause(signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleepUntil(this.#clock.now() + STREAM_LOOK_MS, { signal });
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    }
  }
}

function workOf({ pending, active }: KindFigures): number {
  return pending + active;
}

function metricName(hub: string, kind: WorkKind): string {
  return `durabletask-${hub.toLowerCase()}-${kind}`;
}

/** KEDA puts `s0-` and the like in front of names when a scaled object has several triggers. */
function isMetric(wanted: string, name: string): boolean {
  return wanted === name || /^s\d+-/.exec(wanted)?.[0].concat(name) === wanted;
}

function readMetadata(metadata: Readonly<Record<string, string>>): Asked {
  const entries = Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value.trim()]);
  const given = Object.fromEntries(entries) as Readonly<Record<string, string | undefined>>;
  const hub = given['taskhubname'] ?? '';
  if (hub === '') throw invalidArgument('the metadata taskhubName is missing; it names a task hub');
  return {
    hub,
    kinds: readKinds(given['workitemtype'] ?? ''),
    perWorker: readPerWorker(given['maxconcurrentworkitemscount'] ?? ''),
  };
}

function readKinds(text: string): readonly WorkKind[] {
  if (text === '') return WORK_KINDS;
  const kind = WORK_KINDS.find((each) => each === text.toLowerCase());
  if (kind) return [kind];
  throw invalidArgument(
    `the metadata workItemType is '${text.slice(0, 80)}'; it must be Orchestration, Activity or Entity, or left out for all three`,
  );
}

function readPerWorker(text: string): number | undefined {
  if (text === '') return undefined;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= PER_WORKER_MAX) return count;
  throw invalidArgument(
    `the metadata maxConcurrentWorkItemsCount is '${text.slice(0, 80)}'; it must be a whole number from 1 to ${PER_WORKER_MAX}`,
  );
}
