/** Entry of the page: reads address and key, starts watching, draws. Mirrors no spec module. */
import { render } from 'preact';
import { App } from './app.tsx';
import { apiKey, route, routeOf } from './store.ts';
import { applyTheme } from './theme.ts';
import { startWatching } from './watch.ts';

/** Kept for this tab alone, and gone with it. */
const KEY_NAME = 'lockstep-key';

const readRoute = (): void => {
  route.value = routeOf(location.hash);
  const { view, name } = route.value;
  document.title = `${[name, view].filter((part) => part !== '').join(' · ')} · Lockstep`;
};
addEventListener('hashchange', readRoute);
readRoute();
applyTheme();
apiKey.value = sessionStorage.getItem(KEY_NAME) ?? '';
apiKey.subscribe((key) => {
  if (key === '') sessionStorage.removeItem(KEY_NAME);
  else sessionStorage.setItem(KEY_NAME, key);
});

const root = document.getElementById('page');
if (root !== null) render(<App />, root);
startWatching();
