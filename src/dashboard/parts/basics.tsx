/** Small things that every page is made of. */
import { signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Problem } from '../api.ts';
import { timeZoneMode } from '../habits.ts';
import { connection, serverNow } from '../live.ts';
import { dateTime, duration, visible } from '../model/format.ts';
import { address } from '../navigation.ts';
import { mayWrite } from '../session.ts';

const MARKS: Readonly<Record<string, () => JSX.Element>> = {
  Pending: () => (
    <circle
      cx="6"
      cy="6"
      r="4.5"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-dasharray="2 1.6"
    />
  ),
  Running: () => <circle cx="6" cy="6" r="4.5" fill="currentColor" />,
  Suspended: () => <path d="M3 2h2v8H3zM7 2h2v8H7z" fill="currentColor" />,
  Completed: () => (
    <path d="M1.8 6.4 4.8 9.4 10.4 3" fill="none" stroke="currentColor" stroke-width="1.8" />
  ),
  Failed: () => (
    <path
      d="M6 .6 11.4 6 6 11.4.6 6ZM4.2 4.2l3.6 3.6M7.8 4.2 4.2 7.8"
      fill="none"
      stroke="currentColor"
      stroke-width="1.3"
    />
  ),
  Terminated: () => <path d="M2 2h8v8H2z" fill="currentColor" />,
  Canceled: () => (
    <path
      d="M6 1.5a4.5 4.5 0 1 0 .01 0ZM2.8 2.8l6.4 6.4"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
    />
  ),
};

/** Colour, shape and word, always all three. */
export function Status({ word }: { readonly word: string }): JSX.Element {
  const mark = MARKS[word] ?? MARKS['Running'];
  return (
    <span class={`status s-${word}`}>
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        {mark?.()}
      </svg>
      {word}
    </span>
  );
}

/** Text from outside: nothing in it is hidden, turns the direction of reading or becomes markup. */
export function Visible({ text }: { readonly text: string }): JSX.Element {
  return (
    <bdi>
      {visible(text).map((piece) =>
        piece.isEscape ? <span class="escape">{piece.text}</span> : piece.text,
      )}
    </bdi>
  );
}

const tick = signal(0);
setInterval(() => {
  if (document.visibilityState === 'visible' && !('sinceAt' in connection.value)) tick.value += 1;
}, 1000);

/** The scheduler's time, moving once a second; it stands still while the connection is lost. */
export function useNow(): number {
  return tick.value >= 0 ? serverNow() : 0;
}

export function Age({ at }: { readonly at: string }): JSX.Element {
  const time = Date.parse(at);
  return (
    <time dateTime={at} title={dateTime(time, timeZoneMode.value === 'utc')}>
      {duration(useNow() - time)} ago
    </time>
  );
}

export function Time({ at }: { readonly at: string }): JSX.Element {
  const isUtc = timeZoneMode.value === 'utc';
  return (
    <time dateTime={at} title={at}>
      {dateTime(Date.parse(at), isUtc)}
      {isUtc ? ' UTC' : ''}
    </time>
  );
}

export function Copy({
  text,
  what,
}: {
  readonly text: string;
  readonly what: string;
}): JSX.Element {
  const [isDone, setDone] = useState(false);
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(
      () => {
        setDone(true);
        setTimeout(() => setDone(false), 1000);
      },
      () => toast(`Copying is not permitted here: ${text.slice(0, 200)}`),
    );
  };
  return (
    <button type="button" class="icon-button" onClick={copy} title={`Copy ${what}`}>
      <svg width="13" height="13" viewBox="0 0 13 13" aria-hidden="true">
        <path
          d={isDone ? 'M2 7l3 3 6-7' : 'M4 4V1.5h7.5V9H9M1.5 4H9v7.5H1.5z'}
          fill="none"
          stroke="currentColor"
          stroke-width="1.2"
        />
      </svg>
      <span class="hidden-text">{isDone ? 'Copied' : `Copy ${what}`}</span>
    </button>
  );
}

export function ProblemCard({
  error,
  onRetry,
}: {
  readonly error: unknown;
  readonly onRetry?: () => void;
}): JSX.Element {
  const code = error instanceof Problem ? error.code : 'UNEXPECTED';
  const text = error instanceof Error ? error.message : String(error);
  return (
    <div class="banner bad" role="alert">
      <strong>{code}</strong>
      <span>
        <Visible text={text} />
      </span>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <div class="card muted">{children}</div>;
}

export function Title({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <h1 tabIndex={-1}>{children}</h1>;
}

interface Toast {
  readonly key: number;
  readonly text: string;
}
const toasts = signal<readonly Toast[]>([]);
let nextToast = 1;

/** Tells the result of one's own action. */
export function toast(text: string): void {
  const key = nextToast;
  nextToast += 1;
  toasts.value = [...toasts.value, { key, text }];
  setTimeout(() => {
    toasts.value = toasts.value.filter((each) => each.key !== key);
  }, 8000);
}

export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ key, text }) => (
        <div class="toast" key={key}>
          <Visible text={text} />
        </div>
      ))}
    </div>
  );
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Durable Task`;
  }, [title]);
}

/** True while actions would not arrive, or are not this person's to take. */
export function cannotAct(): boolean {
  const { route } = address.value;
  return isOffline() || !mayWrite('hub' in route ? route.hub : undefined);
}

/** True while nothing would arrive. */
export function isOffline(): boolean {
  return 'sinceAt' in connection.value;
}
