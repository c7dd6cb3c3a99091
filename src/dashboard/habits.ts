/** What this person likes, kept in this browser. Never payloads, never tokens. */
import { computed, effect, signal } from '@preact/signals';
import { readViews, writeViews, type View } from './model/views.ts';

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

const systemScheme = matchMedia('(prefers-color-scheme: dark)');
const isSystemDark = signal(systemScheme.matches);
systemScheme.addEventListener('change', ({ matches }) => (isSystemDark.value = matches));

/** For what is drawn: the rest of the page follows its colour scheme by itself. */
export const isDark = computed(() =>
  theme.value === 'system' ? isSystemDark.value : theme.value === 'dark',
);

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

/** The lists that this person gave a name in one task hub. */
export function savedViews(hub: string): readonly View[] {
  try {
    return readViews(stored(`views.${hub}`) ?? '[]');
  } catch {
    return []; // Written by another version of this page.
  }
}

export function saveViews(hub: string, views: readonly View[]): void {
  store(`views.${hub}`, writeViews(views));
}
