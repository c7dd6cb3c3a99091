/** Nothing may be loaded, framed or posted: the page is text and links. */
export const START_PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};

/** What `/` shows as long as there is no dashboard: that the scheduler runs, and which hubs it serves. */
export function renderStartPage(taskHubs: readonly string[]): string {
  const hubs = taskHubs.map((hub) => `<li>${escapeHtml(hub)}</li>`).join('');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Durable Task Scheduler</title>
<h1>Durable Task Scheduler</h1>
<p>The scheduler is running. This version has no dashboard yet; the pages arrive with a later one.</p>
<h2>Task hubs</h2>
<ul>${hubs}</ul>
<h2>Here now</h2>
<ul>
<li><a href="/health/live">/health/live</a>: the process answers</li>
<li><a href="/health/ready">/health/ready</a>: work is accepted</li>
<li><a href="/api/v1/taskhubs/ping">/api/v1/taskhubs/ping</a>: whether the task hub named by the header <code>x-taskhub</code> exists</li>
</ul>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
