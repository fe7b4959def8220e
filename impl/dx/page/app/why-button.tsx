/** "Why?": opens the explanation that a replica gives. Mirrors no spec module. */
import { baseOf, type Why, why } from './store.ts';

export interface WhyProps {
  /** What is asked about, as a statement: `Replica 1 is silent`. */
  readonly title: string;
  readonly replica: number | undefined;
  readonly path: string;
}

export function WhyButton({ title, replica, path }: WhyProps) {
  const base = baseOf(replica);
  if (base === undefined) return null;
  const question: Why = { title, base, replica, path };
  return (
    <button
      type="button"
      class="why"
      aria-label={`why? ${title}`}
      aria-haspopup="dialog"
      onClick={() => {
        why.value = question;
      }}
    >
      why?
    </button>
  );
}
