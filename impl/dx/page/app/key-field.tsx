/** Asks for the key of the API when a replica wants one. Mirrors no spec module. */
import { useSignal } from '@preact/signals';
import { announced, apiKey } from './store.ts';

export function KeyField() {
  const typed = useSignal('');
  const submit = (event: Event): void => {
    event.preventDefault();
    apiKey.value = typed.value.trim();
    announced.value = 'The key is being tried.';
  };
  return (
    <form class="key" onSubmit={submit}>
      <label for="key">This replica wants an API key or a token</label>
      <div class="row">
        <input
          id="key"
          type="password"
          autocomplete="off"
          value={typed.value}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
          }}
        />
        <button type="submit">Use it</button>
      </div>
      <p class="soft">
        {apiKey.value === ''
          ? 'It needs the role dx, and read or write for streams.'
          : 'The replica refused the key that was given: try another.'}{' '}
        It is kept in this tab only.
      </p>
    </form>
  );
}
