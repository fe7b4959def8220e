/** What to do about an error of the API, by what its status says is known. Mirrors no spec module; docs/server.md has the table. */
import type { Problem } from './answers.ts';

const BY_CODE: Readonly<Record<string, string>> = {
  NO_ANSWER: 'Is the replica running? The page goes on asking; another replica serves the same page.',
  NO_ANSWER_IN_TIME: 'The replica hangs, or cannot reach the others. The page goes on asking.',
  UNAUTHENTICATED: 'Give a key above.',
  FORBIDDEN: 'Give a key that has the role this needs.',
};

/** @param writes whether the request was to change something */
export function advice({ status, code }: Problem, writes: boolean): string {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (status === 401) return 'Give a key above.';
  if (status === 403) return 'The key lacks the role for this: give another.';
  if (status === 404) return 'It is not there: choose one that is listed.';
  if (!writes && (status === 500 || status === 503 || status === 504))
    return 'Nothing was to be changed. It may be asked again; the log of the replica says more.';
  if (!writes && status !== undefined) return 'Mend what the message names.';
  if (status === 409) return 'Nothing was changed. Read what is there, and send again with what you find.';
  if (status === 413) return 'Nothing was changed. Send less at once.';
  if (status === 429) return 'Nothing was changed. It may be sent again.';
  if (status === 503) return 'Nothing was changed, and never will be by this request. It may be sent again.';
  if (status === 500 || status === 504)
    return 'It may be applied or not: read the stream to see, or send it again with the same key.';
  return 'Nothing was changed. Mend what the message names.';
}
