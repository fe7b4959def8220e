/**
 * The base of every error class: a stable code, evidence as data, and a message that says what, where and what to do.
 * All codes stand in docs/errors.md; a test holds page and code together.
 */
export type Evidence = Readonly<Record<string, string | number | bigint | boolean | null>>;

export class LockstepError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly evidence: Evidence;

  constructor(code: Code, message: string, evidence: Evidence = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.evidence = evidence;
  }
}
