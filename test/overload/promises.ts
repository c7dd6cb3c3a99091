import type { OverloadFigures } from './overload.ts';

/** Codes that tell a client to try again. */
const RETRYABLE: ReadonlySet<string> = new Set(['RESOURCE_EXHAUSTED', 'UNAVAILABLE']);
/** How much longer an orchestration of a quiet hub may take beside a loud one, in the median. */
const QUIET_FACTOR_MAX = 10;
/** A latency below this is not told from noise, in ms. */
const QUIET_FLOOR_MS = 10;
const MEGABYTES_MAX = 1024;
/** How much more memory the second half of the load may take than the first. */
const GROWTH_MAX = 1.3;

/** What a scheduler promises under overload and did not keep; `isShort`: too short for figures that depend on speed. */
export function brokenPromises(
  figures: OverloadFigures,
  { isShort }: { readonly isShort: boolean },
): readonly string[] {
  return [...brokenAnswers(figures), ...(isShort ? [] : brokenFigures(figures))];
}

function brokenAnswers({ load, lost }: OverloadFigures): readonly string[] {
  const broken: string[] = [];
  if (lost > 0) broken.push(`${lost} accepted starts did not end right`);
  if (load.accepted === 0) broken.push('nothing was accepted');
  const answered = load.accepted + Object.values(load.refused).reduce((sum, n) => sum + n, 0);
  if (answered !== load.offered) broken.push(`${load.offered - answered} starts got no answer`);
  for (const [code, count] of Object.entries(load.refused)) {
    if (!RETRYABLE.has(code)) broken.push(`${count} were refused with ${code}`);
  }
  return broken;
}

function brokenFigures({ megabytes, quiet }: OverloadFigures): readonly string[] {
  const broken: string[] = [];
  if (Math.max(megabytes.first, megabytes.second) > MEGABYTES_MAX) {
    broken.push(`it took more than ${MEGABYTES_MAX} MB`);
  }
  if (megabytes.second > megabytes.first * GROWTH_MAX) broken.push('its memory grows');
  const factor = quiet.beside.median / Math.max(quiet.alone.median, QUIET_FLOOR_MS);
  if (!(factor <= QUIET_FACTOR_MAX)) {
    broken.push(`the quiet hub took ${factor.toFixed(1)} times as long`);
  }
  return broken;
}
