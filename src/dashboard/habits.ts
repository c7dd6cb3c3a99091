/** What this person likes, kept in this browser. Never payloads, never tokens. */
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
export type TimeZoneMode = 'local' | 'utc';

function stored(key: string): string | undefined {
  try {
    return localStorage.getItem(`durabletask.${key}`) ?? undefined;
  } catch {
    return undefined; // Storage may be forbidden; then habits last as long as the page.
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(`durabletask.${key}`, value);
  } catch {
    // As above.
  }
}

const themes: readonly string[] = ['light', 'dark'];
const savedTheme = stored('theme') ?? '';
export const theme = signal<Theme>(themes.includes(savedTheme) ? (savedTheme as Theme) : 'system');
export const timeZoneMode = signal<TimeZoneMode>(stored('time') === 'utc' ? 'utc' : 'local');
export const isAuto = signal(stored('auto') !== 'off');

effect(() => {
  const { documentElement } = document;
  if (theme.value === 'system') delete documentElement.dataset['theme'];
  else documentElement.dataset['theme'] = theme.value;
  store('theme', theme.value);
});
effect(() => {
  store('time', timeZoneMode.value);
});
effect(() => {
  store('auto', isAuto.value ? 'on' : 'off');
});
