/** Exact ranges of time in the list's filter: what is typed as local time stands in the address as UTC. */
import type { JSX } from 'preact';

export const TIME_FILTERS: Readonly<Record<string, string>> = {
  createdFrom: 'Created from',
  createdTo: 'Created before',
  completedFrom: 'Ended from',
  completedTo: 'Ended before',
};

/** What a `datetime-local` field holds for a time in the address; nothing for a relative one. */
export function localInput(text: string): string {
  const at = Date.parse(text);
  if (text.startsWith('-') || Number.isNaN(at)) return '';
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}

export interface ExactTimesProps {
  readonly params: URLSearchParams;
  readonly set: (name: string, value: string) => void;
}

export function ExactTimes({ params, set }: ExactTimesProps): JSX.Element {
  return (
    <details>
      <summary>Exact times</summary>
      <div class="row">
        {Object.entries(TIME_FILTERS).map(([name, label]) => (
          <label key={name}>
            {label}{' '}
            <input
              type="datetime-local"
              step="1"
              value={localInput(params.get(name) ?? '')}
              onChange={({ currentTarget: { value } }) =>
                set(name, value === '' ? '' : new Date(value).toISOString())
              }
            />
          </label>
        ))}
      </div>
    </details>
  );
}
