/** The whole history as a JSON file, streamed a page at a time. */
import { toJson } from '@bufbuild/protobuf';
import { HistoryEventSchema } from '../../../proto/orchestrator_service_pb.ts';
import type { HistoryPage } from '../../../storage/inspection.ts';
import { decodeEntry } from './event-json.ts';
import { notFound, type ApiCall } from './route.ts';

const PAGE = 500;

export async function historyExport({
  engine,
  hub,
  instanceId,
}: ApiCall<unknown, unknown>): Promise<Response> {
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
      const text = `${isFirst ? '[\n' : ',\n'}${events.join(',\n')}${isLast ? '\n]\n' : ''}`;
      isFirst = false;
      controller.enqueue(encoder.encode(text));
      page = isLast ? undefined : await readPage(last);
    },
  });
  return new Response(body, {
    headers: {
      'Content-Type': 'application/json',
      'Content-Disposition': 'attachment; filename="history.json"',
    },
  });
}
