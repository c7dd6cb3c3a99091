import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useState } from 'preact/hooks';
import type { NamesJson } from '../../server/http/api/contract.ts';
import { post } from '../api.ts';
import { apiPath, instanceHref } from '../model/routes.ts';
import { jsonProblem } from '../model/json-problem.ts';
import { query } from '../navigation.ts';
import { ProblemCard, toast } from '../parts/basics.tsx';
import { Dialog } from '../parts/dialog.tsx';

export interface StartFormProps {
  readonly hub: string;
  readonly names: NamesJson | undefined;
  readonly onClose: () => void;
}

interface Fields {
  readonly name: string;
  readonly id: string;
  readonly version: string;
  readonly input: string;
  readonly scheduledAt: string;
  readonly tags: string;
  readonly ifExists: 'refuse' | 'replaceFinished';
}

/** A link may fill in all but the input, which never stands in an address; prefixes are filters of the list. */
function given(params: URLSearchParams): Fields {
  const text = (name: string): string =>
    params.getAll(name).find((value) => !value.endsWith('*')) ?? '';
  return {
    ...{ name: text('name'), id: text('id'), version: text('version'), input: '', scheduledAt: '' },
    tags: params.getAll('tag').join(', '),
    ifExists: 'refuse',
  };
}

/** `env=prod, region=eu` */
function parseTags(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => pair.trim());
  return Object.fromEntries(
    pairs
      .filter((pair) => pair !== '')
      .map((pair) => {
        const at = pair.indexOf('=');
        return at < 0 ? [pair, ''] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
      }),
  );
}

function bodyOf(fields: Fields): object {
  const { name, id, version, input, scheduledAt, tags, ifExists } = fields;
  return {
    ...{ name, ifExists },
    ...(id !== '' && { id }),
    ...(version !== '' && { version }),
    ...(input.trim() !== '' && { input }),
    ...(scheduledAt !== '' && { scheduledAt: new Date(scheduledAt).toISOString() }),
    ...(tags.trim() !== '' && { tags: parseTags(tags) }),
  };
}

export function StartForm({ hub, names, onClose }: StartFormProps): JSX.Element {
  const [fields, setFields] = useState(() => given(query()));
  const [error, setError] = useState<unknown>();
  const [started, setStarted] = useState<string>();
  const set = (change: Partial<Fields>): void => setFields({ ...fields, ...change });
  const problem = fields.input.trim() === '' ? undefined : jsonProblem(fields.input);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (problem !== undefined) return;
    post<{ id: string }>(apiPath(hub, 'orchestrations'), bodyOf(fields)).then(({ id }) => {
      setStarted(id);
      setError(undefined);
      toast(`Started ${id}`);
    }, setError);
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLFormElement>): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey))
      event.currentTarget.requestSubmit();
  };
  return (
    <Dialog title={`Start orchestration in “${hub}”`} onClose={onClose}>
      <form onSubmit={submit} onKeyDown={onKeyDown}>
        <NameField {...{ names, fields, set }} />
        <Text label="Instance id" hint="generated" value={fields.id} set={(id) => set({ id })} />
        <Text
          label="Version"
          hint="none"
          value={fields.version}
          set={(version) => set({ version })}
        />
        <label class="field">
          <span>Input (JSON)</span>
          <textarea
            value={fields.input}
            aria-invalid={problem !== undefined}
            aria-describedby="input-problem"
            spellcheck={false}
            onInput={(event) => set({ input: event.currentTarget.value })}
          />
          <span id="input-problem" class="error">
            {problem}
          </span>
        </label>
        <label class="field">
          <span>Start at (local time; empty: now)</span>
          <input
            type="datetime-local"
            value={fields.scheduledAt}
            onInput={(event) => set({ scheduledAt: event.currentTarget.value })}
          />
        </label>
        <Text
          label="Tags (key=value, separated by commas)"
          hint="env=prod"
          value={fields.tags}
          set={(tags) => set({ tags })}
        />
        <label class="field">
          <span>If the id exists</span>
          <select
            value={fields.ifExists}
            onChange={(event) => set({ ifExists: event.currentTarget.value as Fields['ifExists'] })}
          >
            <option value="refuse">refuse</option>
            <option value="replaceFinished">replace it if it has ended</option>
          </select>
        </label>
        {error !== undefined && <ProblemCard error={error} />}
        {started !== undefined && (
          <div class="banner good" role="status">
            Started <a href={instanceHref(hub, started)}>{started}</a>
          </div>
        )}
        <div class="row end">
          <span class="meta">Ctrl+Enter</span>
          <button type="submit" class="primary">
            Start
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface TextProps {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly set: (value: string) => void;
}

function Text({ label, hint, value, set }: TextProps): JSX.Element {
  return (
    <label class="field">
      <span>{label}</span>
      <input value={value} placeholder={hint} onInput={(event) => set(event.currentTarget.value)} />
    </label>
  );
}

interface NameFieldProps {
  readonly names: NamesJson | undefined;
  readonly fields: Fields;
  readonly set: (change: Partial<Fields>) => void;
}

function NameField({ names, fields, set }: NameFieldProps): JSX.Element {
  const known = (names?.items ?? []).filter(({ kind }) => kind === 'orchestration');
  const found = known.find(({ name }) => name === fields.name);
  const hint = found
    ? found.isConnected
      ? '● a connected worker announces it'
      : '○ known from history; no connected worker announces it by name'
    : 'No connected worker announces this name: it will wait until one takes it.';
  return (
    <div class="field">
      <label class="label" for="start-name">
        Name
      </label>
      <input
        id="start-name"
        aria-describedby="start-name-hint"
        required
        autofocus
        value={fields.name}
        list="start-names"
        onInput={(event) => set({ name: event.currentTarget.value })}
      />
      <datalist id="start-names">
        {known.map(({ name }) => (
          <option value={name} />
        ))}
      </datalist>
      <div id="start-name-hint" class="meta">
        {fields.name === '' ? '' : hint}
      </div>
    </div>
  );
}
