import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ProblemCard } from './basics.tsx';

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** Native and modal: the browser keeps focus in it, gives it back, and closes it on Escape. */
export function Dialog({ title, onClose, children }: DialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-label={title}>
      <div class="head">
        <h2>{title}</h2>
        <button
          type="button"
          class="icon-button push"
          aria-label="Close"
          onClick={() => dialog.current?.close()}
        >
          ✕
        </button>
      </div>
      {children}
    </dialog>
  );
}

export interface ConfirmProps {
  readonly title: string;
  /** What the button says: the verb and the name of the object. */
  readonly verb: string;
  readonly children: ComponentChildren;
  /** What must be typed first, for what cannot be undone. */
  readonly typed?: string;
  readonly isDanger?: boolean;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

export function Confirm(props: ConfirmProps): JSX.Element {
  const { title, verb, children, typed, isDanger = true, onConfirm, onClose } = props;
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [text, setText] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    onConfirm().then(onClose, (failure: unknown) => {
      setError(failure);
      setBusy(false);
    });
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {children}
        {typed !== undefined && (
          <label class="field">
            <span>Type {typed} to go on</span>
            <input value={text} onInput={(event) => setText(event.currentTarget.value)} />
          </label>
        )}
        {error !== undefined && <ProblemCard error={error} />}
        <div class="row end">
          <button type="button" autofocus onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            class={isDanger ? 'danger' : 'primary'}
            disabled={isBusy || (typed !== undefined && text !== typed)}
          >
            {verb}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
