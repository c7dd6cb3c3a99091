/** Payloads, shown as text whatever they hold, the rest of a long one on demand. */
import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import type { PayloadSummaryJson } from '../../server/http/api/contract.ts';
import { getText } from '../api.ts';
import { bytes, indentJson, integer } from '../model/format.ts';
import { Copy, ProblemCard, Visible } from './basics.tsx';

/** Characters fetched at a time. */
const PAGE = 64 * 1024;

export interface PayloadProps {
  readonly label: string;
  /** Where the text is. */
  readonly path: string;
  readonly summary?: PayloadSummaryJson;
  readonly isOpen?: boolean;
}

export function Payload({ label, path, summary, isOpen = false }: PayloadProps): JSX.Element {
  const whole = summary && !summary.isCut ? summary.preview : undefined;
  const [text, setText] = useState(whole);
  const [total, setTotal] = useState<number>();
  const [error, setError] = useState<unknown>();
  const load = (from: number): void => {
    const joint = path.includes('?') ? '&' : '?';
    getText(`${path}${joint}offset=${from}&length=${PAGE}`).then((page) => {
      setText((before) => (from === 0 ? page.text : (before ?? '') + page.text));
      setTotal(page.total);
    }, setError);
  };
  const onToggle = (event: TargetedEvent<HTMLDetailsElement>): void => {
    if (event.currentTarget.open && text === undefined && error === undefined) load(0);
  };
  const left = total === undefined || text === undefined ? 0 : total - text.length;
  return (
    <details open={isOpen} onToggle={onToggle}>
      <summary>
        {label} {summary && <span class="meta">{bytes(summary.bytes)}</span>}
      </summary>
      {error !== undefined && <ProblemCard error={error} />}
      {text !== undefined && (
        <Shown {...{ label, path, text, left }} onMore={() => load(text.length)} />
      )}
    </details>
  );
}

interface ShownProps {
  readonly label: string;
  readonly path: string;
  readonly text: string;
  /** Characters that are not fetched yet. */
  readonly left: number;
  readonly onMore: () => void;
}

function Shown({ label, path, text, left, onMore }: ShownProps): JSX.Element {
  const [isRaw, setRaw] = useState(false);
  const indented = left <= 0 && !isRaw ? indentJson(text) : undefined;
  return (
    <>
      <pre class="payload" tabIndex={0} aria-label={label}>
        <Visible text={indented ?? text} />
      </pre>
      <div class="row">
        <Copy text={text} what={label} />
        <button type="button" class="link" onClick={() => setRaw(!isRaw)}>
          {isRaw ? 'Indented' : 'Raw'}
        </button>
        <a href={`${path}${path.includes('?') ? '&' : '?'}download=true`} download>
          Download
        </a>
        {left > 0 && (
          <button type="button" onClick={onMore}>
            Show {integer(Math.min(left, PAGE))} more of {integer(left)} characters
          </button>
        )}
        {indented === undefined && left <= 0 && !isRaw && <span class="meta">not JSON</span>}
      </div>
    </>
  );
}
