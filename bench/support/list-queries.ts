/** What people ask of a list, by what it costs to answer. */
export interface ListQuery {
  readonly title: string;
  /** Below the task hub. */
  readonly path: string;
}

const LIST = '/orchestrations';

/** `hub` is the API's address of the task hub; pages far down are found by walking there. */
export async function listQueries(hub: string, instances: number): Promise<readonly ListQuery[]> {
  const middle = `order-${String(Math.floor(instances / 2)).padStart(8, '0')}`;
  const filters: Readonly<Record<string, string>> = {
    'first page': '',
    'oldest first': 'sort=created',
    'by end': 'sort=-completed',
    'by id': 'sort=id',
    'status Failed': 'status=Failed',
    'status Running or Suspended': 'status=Running,Suspended',
    'status Pending': 'status=Pending',
    'one name': 'name=Orders.Name07',
    'names by prefix': 'name=Orders.Name1*',
    'one name that failed': 'name=Orders.Name07&status=Failed',
    version: 'version=1.0',
    'ids by prefix': `id=${middle.slice(0, -3)}*`,
    'an id that is not there': 'id=nobody',
    'one tag': 'tag=team=team-7',
    'a tag that is not there': 'tag=team=nobody',
    'an hour of last month': 'createdFrom=-721h&createdTo=-720h',
    'failures of last week': 'createdFrom=-7d&status=Failed',
    'error type': 'errorType=RangeError',
    'error text': 'errorText=4711',
    'an error text that is not there': 'errorText=nowhere',
    'failed, of one name, with a tag': 'status=Failed&name=Orders.Name07&tag=team=team-7',
  };
  const queries = Object.entries(filters).map(([title, filter]) => ({
    title,
    path: `${LIST}?${filter}`,
  }));
  return [
    ...queries,
    ...(await pagesDown(hub, [3, 20])),
    { title: 'count of all', path: `${LIST}/count` },
    { title: 'count of failures', path: `${LIST}/count?status=Failed` },
    { title: 'facets of all', path: `${LIST}/facets` },
    { title: 'facets of failures', path: `${LIST}/facets?status=Failed` },
    { title: 'summary of the hub', path: '/summary' },
    { title: 'one instance', path: `${LIST}/${middle}` },
    { title: 'its history', path: `${LIST}/${middle}/history?payload=summary` },
    { title: 'why it waits', path: `${LIST}/${middle}/waiting` },
  ];
}

async function pagesDown(hub: string, wanted: readonly number[]): Promise<readonly ListQuery[]> {
  const found: ListQuery[] = [];
  let path = `${LIST}?size=200`;
  for (let page = 2; page <= Math.max(...wanted); page += 1) {
    const response = await fetch(`${hub}${path}`);
    const { next } = (await response.json()) as { readonly next?: string };
    if (next === undefined) break;
    path = `${LIST}?size=200&cursor=${encodeURIComponent(next)}`;
    if (wanted.includes(page)) found.push({ title: `page ${page} of 200`, path });
  }
  return found;
}
