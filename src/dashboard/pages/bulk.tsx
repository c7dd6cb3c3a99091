/** Bulk jobs: they go on without the page. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { BulkJobsJson, BulkResultsJson } from '../../server/http/api/contract.ts';
import { follow } from '../live.ts';
import { ACTION_TEXTS } from '../model/actions.ts';
import { integer } from '../model/format.ts';
import { apiPath, hubHref, instanceHref } from '../model/routes.ts';
import { Age, Copy, Empty, ProblemCard, Title, useTitle, Visible } from '../parts/basics.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { useData } from '../parts/use-data.ts';
import { BulkProgress } from './bulk-progress.tsx';

export function Bulk({ hub, job }: { readonly hub: string; readonly job: string | undefined }) {
  useEffect(() => follow(hub, []), [hub]);
  return job === undefined ? <Jobs hub={hub} /> : <Job hub={hub} id={job} />;
}

function Jobs({ hub }: { readonly hub: string }): JSX.Element {
  useTitle(`Bulk jobs · ${hub}`);
  const { data, error, reload } = useData<BulkJobsJson>(apiPath(hub, 'bulk-jobs'));
  return (
    <>
      <div class="head">
        <Title>Bulk jobs</Title>
      </div>
      {error !== undefined && <ProblemCard error={error} onRetry={reload} />}
      {data?.items.length === 0 && (
        <Empty>
          No bulk job since the scheduler started. Select orchestrations in the list to begin.
        </Empty>
      )}
      {data && data.items.length > 0 && (
        <Scroll label="Bulk jobs">
          <table>
            <caption class="hidden-text">Bulk jobs</caption>
            <thead>
              <tr>
                {['Started', 'Action', 'State', 'Done', 'Skipped', 'Failed'].map((head) => (
                  <th scope="col">{head}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.items.map((each) => (
                <tr key={each.id}>
                  <td>
                    <a href={hubHref(hub, `bulk/${each.id}`)}>
                      <Age at={each.createdAt} />
                    </a>
                  </td>
                  <td>{ACTION_TEXTS[each.action].verb}</td>
                  <td>{each.state}</td>
                  <td class="num">{integer(each.done)}</td>
                  <td class="num">{integer(each.skipped)}</td>
                  <td class="num">{integer(each.failed)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

function Job({ hub, id }: { readonly hub: string; readonly id: string }): JSX.Element {
  useTitle(`Bulk job · ${hub}`);
  const results = useData<BulkResultsJson>(apiPath(hub, `bulk-jobs/${id}/results`));
  const items = results.data?.items ?? [];
  return (
    <>
      <div class="head">
        <Title>Bulk job</Title>
        <a class="push" href={hubHref(hub, 'bulk')}>
          All jobs
        </a>
      </div>
      <div class="card">
        <BulkProgress {...{ hub, id }} onFinished={results.reload} />
      </div>
      {items.length > 0 && (
        <Scroll label="Skipped and failed">
          <table>
            <caption>
              Skipped and failed <Copy text={items.map((item) => item.id).join('\n')} what="ids" />
            </caption>
            <tbody>
              {items.map((item) => (
                <tr key={item.id}>
                  <td>{item.outcome}</td>
                  <td>
                    <a class="id" href={instanceHref(hub, item.id)}>
                      <Visible text={item.id} />
                    </a>
                  </td>
                  <td>{item.code}</td>
                  <td class="wide">
                    <Visible text={item.detail} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}
