/** Nothing may be loaded, framed or posted: the page is text and links. */
export const START_PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};

/** What stands in for the dashboard where it has not been built: a scheduler that runs from its source. */
export const START_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Durable Task Scheduler</title>
<h1>Durable Task Scheduler</h1>
<p>The scheduler is running from its source, and its dashboard has not been built. Build it with
<code>npm run build</code>, then start the scheduler again.</p>
<h2>Here now</h2>
<ul>
<li><a href="/health/live">/health/live</a>: the process answers</li>
<li><a href="/health/ready">/health/ready</a>: work is accepted</li>
<li><a href="/api/v1/taskhubs/ping">/api/v1/taskhubs/ping</a>: whether the task hub named by the header <code>x-taskhub</code> exists</li>
</ul>
</html>
`;
