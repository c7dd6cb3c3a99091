import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { RowJson } from '../../server/http/api/contract.ts';
import { post } from '../api.ts';
import { ACTION_TEXTS, ACTIONS, type ActionName } from '../model/actions.ts';
import { jsonProblem } from '../model/json-problem.ts';
import { hubHref, instanceApi, instanceHref } from '../model/routes.ts';
import { navigate } from '../navigation.ts';
import { cannotAct, toast, Visible } from '../parts/basics.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { ActionFields, argsBody, NO_ARGS, Tick } from './action-fields.tsx';

export interface InstanceActionsProps {
  readonly hub: string;
  readonly row: RowJson;
}

/** Every action has its place; those that make no sense now say why. */
export function InstanceActions({ hub, row }: InstanceActionsProps): JSX.Element {
  const [action, setAction] = useState<ActionName | 'raise'>();
  const isLive = row.completedAt === undefined;
  const close = (): void => setAction(undefined);
  return (
    <div class="actions" role="group" aria-label="Actions">
      <button type="button" disabled={!isLive || cannotAct()} onClick={() => setAction('raise')}>
        Raise event
      </button>
      {ACTIONS.map((name) => {
        const { verb, statuses } = ACTION_TEXTS[name];
        const isPossible = statuses.includes(row.status);
        const why = `Only for ${statuses.join(', ').toLowerCase()} orchestrations`;
        return (
          <button
            type="button"
            key={name}
            disabled={!isPossible || cannotAct()}
            title={isPossible ? undefined : why}
            onClick={() => setAction(name)}
          >
            {verb}
          </button>
        );
      })}
      {action === 'raise' && <RaiseEvent {...{ hub, row }} onClose={close} />}
      {action !== undefined && action !== 'raise' && (
        <ActionDialog {...{ hub, row, action }} onClose={close} />
      )}
    </div>
  );
}

interface ActionDialogProps extends InstanceActionsProps {
  readonly action: ActionName;
  readonly onClose: () => void;
}

function ActionDialog({ hub, row, action, onClose }: ActionDialogProps): JSX.Element {
  const [args, setArgs] = useState(NO_ARGS);
  const [isNewId, setNewId] = useState(false);
  const { verb, effect, isDanger } = ACTION_TEXTS[action];
  const run = async (): Promise<void> => {
    const answer = await post<{ id?: string }>(instanceApi(hub, row.id, action), {
      ...argsBody(args),
      newId: isNewId,
    });
    toast(`${verb}: accepted for ${row.id}`);
    if (action === 'purge') navigate(hubHref(hub));
    if (answer.id !== undefined && answer.id !== row.id) navigate(instanceHref(hub, answer.id));
  };
  return (
    <Confirm
      title={`${verb} orchestration`}
      verb={`${verb} ${row.id}`}
      onConfirm={run}
      {...{ isDanger, onClose }}
    >
      <p>
        {row.name}{' '}
        <span class="mono">
          <Visible text={row.id} />
        </span>
      </p>
      <p>{effect}</p>
      <ActionFields whose="its" {...{ action, args }} onChange={setArgs} />
      {action === 'restart' && (
        <Tick
          label="Under a new id: the old one stays as it is"
          isOn={isNewId}
          onChange={setNewId}
        />
      )}
    </Confirm>
  );
}

interface RaiseEventProps extends InstanceActionsProps {
  readonly onClose: () => void;
}

function RaiseEvent({ hub, row, onClose }: RaiseEventProps): JSX.Element {
  const [name, setName] = useState('');
  const [data, setData] = useState('');
  const problem = data.trim() === '' ? undefined : jsonProblem(data);
  const run = async (): Promise<void> => {
    if (problem !== undefined) throw new Error(problem);
    const body = { name, ...(data.trim() !== '' && { data }) };
    await post(instanceApi(hub, row.id, 'raise-event'), body);
    toast(`Delivered “${name}” to the inbox. It is used when the code waits for it.`);
  };
  return (
    <Confirm
      title="Raise event"
      verb="Raise event"
      isDanger={false}
      onConfirm={run}
      onClose={onClose}
    >
      <label class="field">
        <span>Name</span>
        <input required value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label class="field">
        <span>Payload (JSON)</span>
        <textarea
          value={data}
          spellcheck={false}
          aria-invalid={problem !== undefined}
          onInput={(event) => setData(event.currentTarget.value)}
        />
        <span class="error">{problem}</span>
      </label>
    </Confirm>
  );
}
