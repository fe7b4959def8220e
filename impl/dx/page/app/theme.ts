/** Light, dark, or as the system has it; the reader's choice stays in this browser. Mirrors no spec module. */
import { signal } from '@preact/signals';

const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
const THEME_NAME = 'lockstep-theme';

export const theme = signal<Theme>('auto');

export function applyTheme(): void {
  theme.value = THEMES.find((one) => one === localStorage.getItem(THEME_NAME)) ?? 'auto';
  theme.subscribe((chosen) => {
    document.documentElement.dataset.theme = chosen;
    localStorage.setItem(THEME_NAME, chosen);
  });
}

export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'auto';
}
