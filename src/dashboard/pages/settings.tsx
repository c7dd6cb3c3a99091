import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ConfigJson } from '../../server/http/api/contract.ts';
import { theme, timeZoneMode, type Theme, type TimeZoneMode } from '../habits.ts';
import { follow } from '../live.ts';
import { Copy, ProblemCard, Title, useTitle, Visible } from '../parts/basics.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { useData } from '../parts/use-data.ts';

export function Settings(): JSX.Element {
  useTitle('Settings');
  const { data, error, reload } = useData<ConfigJson>('/api/v1/config');
  useEffect(() => follow('', []), []);
  return (
    <>
      <div class="head">
        <Title>Settings</Title>
      </div>
      <Preferences />
      {error !== undefined && !data && <ProblemCard error={error} onRetry={reload} />}
      {data && (
        <>
          <p>
            <a href="/api/v1/openapi.json">OpenAPI file</a>{' '}
            <Copy text={JSON.stringify(data.items, undefined, 2)} what="configuration" />
          </p>
          <Scroll label="Effective configuration">
            <table>
              <caption class="hidden-text">Effective configuration</caption>
              <thead>
                <tr>
                  {['Key', 'Value', 'Source', 'Flag', 'Environment', 'Description'].map((head) => (
                    <th scope="col">{head}</th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {data.items.map((item) => (
                  <tr>
                    <th scope="row">{item.key}</th>
                    <td class="wide">
                      <Value value={item.value} />
                    </td>
                    <td>{item.source}</td>
                    <td>
                      <code>{item.flag}</code>
                    </td>
                    <td>
                      <code>{item.environment}</code>
                    </td>
                    <td class="wide">{item.description}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </>
      )}
    </>
  );
}

function Value({ value }: { readonly value: unknown }): JSX.Element {
  if (value === undefined) return <span class="muted">not set</span>;
  return (
    <code>
      <Visible text={JSON.stringify(value)} />
    </code>
  );
}

function Preferences(): JSX.Element {
  return (
    <section class="card row" aria-label="Preferences">
      <label>
        Theme{' '}
        <select
          value={theme.value}
          onChange={(event) => (theme.value = event.currentTarget.value as Theme)}
        >
          <option value="system">as the system</option>
          <option value="light">light</option>
          <option value="dark">dark</option>
        </select>
      </label>
      <label>
        Times{' '}
        <select
          value={timeZoneMode.value}
          onChange={(event) => (timeZoneMode.value = event.currentTarget.value as TimeZoneMode)}
        >
          <option value="local">local</option>
          <option value="utc">UTC</option>
        </select>
      </label>
    </section>
  );
}
