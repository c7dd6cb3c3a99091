/** A real OTLP/HTTP receiver on loopback that remembers the spans it was sent. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the root of a trace. */
  readonly parentSpanId: string;
  readonly name: string;
  /** INTERNAL 1, SERVER 2, CLIENT 3, PRODUCER 4. */
  readonly kind: number;
  readonly startAt: number;
  readonly endAt: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 2 is an error. */
  readonly statusCode: number;
  readonly eventNames: readonly string[];
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly status: { readonly code?: number };
  readonly events?: readonly { readonly name: string }[];
}

interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: OtlpSpan[] }[];
  }[];
}

export interface ReceivedMetric {
  /** `service.name` of the process that sent it. */
  readonly service: string;
  readonly name: string;
  readonly unit: string;
  readonly points: readonly {
    readonly attributes: Readonly<Record<string, unknown>>;
    /** Of a histogram: how many values it has. */
    readonly value: number;
  }[];
}

interface OtlpPoint {
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly asInt?: number | string;
  readonly asDouble?: number;
  readonly count?: number | string;
}

type OtlpPoints = { readonly dataPoints: readonly OtlpPoint[] };

interface OtlpMetrics {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: OtlpPoint['attributes'] };
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly unit: string;
        readonly gauge?: OtlpPoints;
        readonly sum?: OtlpPoints;
        readonly histogram?: OtlpPoints;
      }[];
    }[];
  }[];
}

export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** Every one that was sent, the newest last. */
  readonly metrics: ReceivedMetric[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<OtlpReceiver> {
    const server = createServer((request, response) => {
      void receiver.#receive(request).then(() => response.end('{}'));
    });
    const receiver = new OtlpReceiver(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #receive(request: IncomingMessage): Promise<void> {
    const chunks = await Array.fromAsync(request as AsyncIterable<Buffer>);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    if (request.url === '/v1/metrics') this.metrics.push(...readMetrics(body as OtlpMetrics));
    if (request.url !== '/v1/traces') return;
    const { resourceSpans } = body as OtlpRequest;
    for (const { scopeSpans } of resourceSpans) {
      for (const { spans } of scopeSpans) this.spans.push(...spans.map(readSpan));
    }
  }
}

function readMetrics({ resourceMetrics }: OtlpMetrics): ReceivedMetric[] {
  return resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.map(({ name, unit, gauge, sum, histogram }) => ({
        service: String(readAttributes(resource.attributes)['service.name']),
        name,
        unit,
        points: (gauge ?? sum ?? histogram ?? { dataPoints: [] }).dataPoints.map((point) => ({
          attributes: readAttributes(point.attributes),
          value: Number(point.asInt ?? point.asDouble ?? point.count),
        })),
      })),
    ),
  );
}

function readAttributes(attributes: OtlpPoint['attributes']): Record<string, unknown> {
  const entries = attributes.map(({ key, value }) => [key, Object.values(value)[0] as unknown]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function readSpan(span: OtlpSpan): ReceivedSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? '',
    name: span.name,
    kind: span.kind,
    startAt: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
    endAt: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
    attributes: readAttributes(span.attributes),
    statusCode: span.status.code ?? 0,
    eventNames: (span.events ?? []).map(({ name }) => name),
  };
}
