import type { JSX } from 'preact';
import type { FailureJson, InstanceJson, RowJson } from '../../server/http/api/contract.ts';
import { getText } from '../api.ts';
import { useEffect, useState } from 'preact/hooks';
import { instanceApi } from '../model/routes.ts';
import { Empty, ProblemCard, Visible } from '../parts/basics.tsx';
import { Payload } from '../parts/payload.tsx';

export interface DataProps {
  readonly hub: string;
  readonly id: string;
  readonly row: RowJson;
  readonly page: InstanceJson;
}

export function Data({ hub, id, row, page }: DataProps): JSX.Element {
  const { input, output, customStatus } = page.sizes;
  const parts = [
    ['input', 'Input', input],
    ['output', 'Output', output],
    ['customStatus', 'Custom status', customStatus],
  ] as const;
  const shown = parts.filter(([, , size]) => size !== undefined);
  return (
    <>
      {row.failure && <Failure {...{ hub, id }} key={row.revision} />}
      {shown.map(([part, label, size = 0]) => (
        <div class="card" key={`${part} ${row.revision}`}>
          <Payload
            {...{ label }}
            path={instanceApi(hub, id, `data/${part}`)}
            summary={{ bytes: size, isCut: true }}
            isOpen
          />
        </div>
      ))}
      {shown.length === 0 && !row.failure && (
        <Empty>It has no input, output or custom status.</Empty>
      )}
      <div class="card">
        <h2>Tags</h2>
        <dl class="facts">
          {Object.entries(row.tags).map(([key, value]) => (
            <>
              <dt>
                <Visible text={key} />
              </dt>
              <dd>
                <Visible text={value} />
              </dd>
            </>
          ))}
        </dl>
        {Object.keys(row.tags).length === 0 && <span class="muted">none</span>}
      </div>
    </>
  );
}

function Failure({ hub, id }: { readonly hub: string; readonly id: string }): JSX.Element {
  const [failure, setFailure] = useState<FailureJson>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    getText(instanceApi(hub, id, 'data/failure')).then(
      ({ text }) => setFailure(JSON.parse(text) as FailureJson),
      setError,
    );
  }, []);
  return (
    <div class="card">
      <h2>Failure</h2>
      {error !== undefined && <ProblemCard error={error} />}
      {failure && <FailureTree failure={failure} />}
    </div>
  );
}

/** A failure and what caused it, the cause inside. */
export function FailureTree({ failure }: { readonly failure: FailureJson }): JSX.Element {
  return (
    <div>
      <p>
        <strong class="s-Failed">
          <Visible text={failure.type} />
        </strong>{' '}
        <Visible text={failure.message} />
        {failure.isNonRetriable === true && <span class="tag">non-retriable</span>}
      </p>
      {failure.stackTrace !== undefined && failure.stackTrace !== '' && (
        <details>
          <summary>Stack trace</summary>
          <pre class="payload" tabIndex={0}>
            <Visible text={failure.stackTrace} />
          </pre>
        </details>
      )}
      {failure.inner && (
        <details open>
          <summary>Caused by</summary>
          <FailureTree failure={failure.inner} />
        </details>
      )}
    </div>
  );
}
