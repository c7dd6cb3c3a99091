import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { HubsJson } from '../../server/http/api/contract.ts';
import { post } from '../api.ts';
import { follow, heardAt } from '../live.ts';
import { capped, integer } from '../model/format.ts';
import { hubHref } from '../model/routes.ts';
import { me } from '../session.ts';
import { Age, Copy, Empty, ProblemCard, Title, toast, useTitle } from '../parts/basics.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { useData } from '../parts/use-data.ts';

export function Hubs(): JSX.Element {
  useTitle('Task hubs');
  const { data, error, reload } = useData<HubsJson>('/api/v1/hubs');
  const [isCreating, setCreating] = useState(false);
  const [doomed, setDoomed] = useState<string>();
  useEffect(() => follow('', []), []);
  useEffect(reload, [heardAt.value]);
  return (
    <>
      <div class="head">
        <Title>Task hubs</Title>
        <button type="button" class="push" onClick={() => setCreating(true)}>
          New task hub
        </button>
      </div>
      {error !== undefined && !data && <ProblemCard error={error} onRetry={reload} />}
      {data?.items.length === 0 && (
        <Empty>
          You can see no task hub here. Ask for the role “Durable Task Data Reader” on a hub or on
          the scheduler.
          {me.value?.caller && ` You are signed in as ${me.value.caller.name}.`}
        </Empty>
      )}
      {data && data.items.length > 0 && <HubTable data={data} onDelete={setDoomed} />}
      {isCreating && <NewHub onClose={() => setCreating(false)} onDone={reload} />}
      {doomed !== undefined && (
        <Confirm
          title={`Delete task hub “${doomed}”`}
          verb={`Delete ${doomed}`}
          typed={doomed}
          onClose={() => setDoomed(undefined)}
          onConfirm={async () => {
            await post(`/api/v1/hubs/${encodeURIComponent(doomed)}`, {}, 'DELETE');
            toast(`Deleted task hub ${doomed}`);
            reload();
          }}
        >
          <p>Everything in it is deleted: instances, history, entities. This cannot be undone.</p>
        </Confirm>
      )}
    </>
  );
}

function HubTable({
  data,
  onDelete,
}: {
  readonly data: HubsJson;
  readonly onDelete: (hub: string) => void;
}): JSX.Element {
  return (
    <Scroll label="Task hubs">
      <table>
        <caption class="hidden-text">Task hubs</caption>
        <thead>
          <tr>
            {[
              'Hub',
              'Active',
              'Failed',
              'Workers',
              'Queued',
              'Oldest queued',
              'Connect an app',
              '',
            ].map((head) => (
              <th scope="col">{head === '' ? <span class="hidden-text">Actions</span> : head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.items.map((hub) => {
            const text = `Endpoint=${data.grpcEndpoint};TaskHub=${hub.name};Authentication=None`;
            return (
              <tr key={hub.name}>
                <td>
                  <a href={hubHref(hub.name)}>{hub.name}</a>
                </td>
                <td class="num">{capped(hub.active)}</td>
                <td class="num">
                  <a href={hubHref(hub.name, 'orchestrations?status=Failed')}>
                    {capped(hub.failed)}
                  </a>
                </td>
                <td class="num">{integer(hub.workers)}</td>
                <td class="num">
                  {integer(hub.pending)}
                  {hub.unclaimed > 0 && (
                    <span class="s-attention"> ▲ {integer(hub.unclaimed)} without taker</span>
                  )}
                </td>
                <td>{hub.oldestAt === undefined ? '–' : <Age at={hub.oldestAt} />}</td>
                <td>
                  <code>{text}</code> <Copy text={text} what="connection string" />
                </td>
                <td>
                  <button type="button" class="danger" onClick={() => onDelete(hub.name)}>
                    Delete
                    <span class="hidden-text"> {hub.name}</span>
                  </button>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

function NewHub({
  onClose,
  onDone,
}: {
  readonly onClose: () => void;
  readonly onDone: () => void;
}): JSX.Element {
  const [name, setName] = useState('');
  return (
    <Confirm
      title="New task hub"
      verb="Create"
      isDanger={false}
      onClose={onClose}
      onConfirm={async () => {
        await post('/api/v1/hubs', { name });
        onDone();
      }}
    >
      <label class="field">
        <span>Name</span>
        <input required value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
    </Confirm>
  );
}
