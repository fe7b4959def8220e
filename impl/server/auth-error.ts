/** What can be wrong with the files that say who may come in; found at the start, or when they are read again. */
import { LockstepError } from '../ports/lockstep-error.ts';

export type AuthErrorCode =
  | 'AUTH_KEYS_INVALID' // the file of API keys
  | 'AUTH_JWT_KEYS_INVALID'; // the file of keys that tokens are signed with

export class AuthError extends LockstepError<AuthErrorCode> {}
