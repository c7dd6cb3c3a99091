/** The whole history as a file, streamed a page at a time. */
import { toJson } from '@bufbuild/protobuf';
import { HistoryEventSchema } from '../../../proto/orchestrator_service_pb.ts';
import type { HistoryPage } from '../../../storage/inspection.ts';
import { decodeEntry } from './event-json.ts';
import { notFound, type ApiCall } from './route.ts';

const PAGE = 500;

/** What stands around the events. */
interface ExportForm {
  readonly suffix: 'json' | 'jsonl';
  readonly contentType: string;
  readonly opening: string;
  readonly between: string;
  readonly closing: string;
}

const JSON_FORM: ExportForm = {
  ...{ suffix: 'json', contentType: 'application/json' },
  ...{ opening: '[\n', between: ',\n', closing: '\n]\n' },
};
const JSONL_FORM: ExportForm = {
  ...{ suffix: 'jsonl', contentType: 'application/jsonl' },
  ...{ opening: '', between: '\n', closing: '\n' },
};

/** One JSON array. */
export function historyExport(call: ApiCall<unknown, unknown>): Promise<Response> {
  return exportAs(JSON_FORM, call);
}

/** An event a line. */
export function historyLines(call: ApiCall<unknown, unknown>): Promise<Response> {
  return exportAs(JSONL_FORM, call);
}

async function exportAs(
  { suffix, contentType, opening, between, closing }: ExportForm,
  { engine, hub, instanceId }: ApiCall<unknown, unknown>,
): Promise<Response> {
  const { stored } = engine.inspector;
  const readPage = (after: HistoryPage['items'][number] | undefined) =>
    stored.historyPage(hub, instanceId, { after, limit: PAGE });
  const first = await readPage(undefined);
  if (!first) throw notFound(instanceId);
  const encoder = new TextEncoder();
  let page: HistoryPage | undefined = first;
  let isFirst = true;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!page) {
        controller.close();
        return;
      }
      const events = page.items.map((entry) =>
        JSON.stringify(toJson(HistoryEventSchema, decodeEntry(entry))),
      );
      const last = page.items.at(-1);
      const isLast = !page.hasMore || !last;
      const text = `${isFirst ? opening : between}${events.join(between)}${isLast ? closing : ''}`;
      isFirst = false;
      controller.enqueue(encoder.encode(text));
      page = isLast ? undefined : await readPage(last);
    },
  });
  return new Response(body, {
    headers: {
      'Content-Type': contentType,
      'Content-Disposition': `attachment; filename="history.${suffix}"`,
    },
  });
}
