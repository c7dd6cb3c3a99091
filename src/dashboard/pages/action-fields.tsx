/** What an action may be told, for one orchestration and for many. */
import type { JSX } from 'preact';
import { ACTION_TEXTS, type ActionName } from '../model/actions.ts';

export interface ActionArgs {
  readonly reason: string;
  readonly isRecursive: boolean;
}

export const NO_ARGS: ActionArgs = { reason: '', isRecursive: false };

/** As the API takes them; an empty reason is none. */
export function argsBody({ reason, isRecursive }: ActionArgs): object {
  return { ...(reason !== '' && { reason }), recursive: isRecursive };
}

export interface TickProps {
  readonly label: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}

export function Tick({ label, isOn, onChange }: TickProps): JSX.Element {
  return (
    <label class="field">
      <input
        type="checkbox"
        checked={isOn}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />{' '}
      {label}
    </label>
  );
}

export interface ActionFieldsProps {
  readonly action: ActionName;
  /** `its` of one, `their` of many. */
  readonly whose: 'its' | 'their';
  readonly args: ActionArgs;
  readonly onChange: (args: ActionArgs) => void;
}

export function ActionFields({ action, whose, args, onChange }: ActionFieldsProps): JSX.Element {
  return (
    <>
      {ACTION_TEXTS[action].takesReason && (
        <label class="field">
          <span>Reason</span>
          <input
            value={args.reason}
            onInput={(event) => onChange({ ...args, reason: event.currentTarget.value })}
          />
        </label>
      )}
      {(action === 'terminate' || action === 'purge') && (
        <Tick
          label={`Also ${whose} sub-orchestrations`}
          isOn={args.isRecursive}
          onChange={(isRecursive) => onChange({ ...args, isRecursive })}
        />
      )}
    </>
  );
}
