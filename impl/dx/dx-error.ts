/** What the DX API refuses, with the codes and statuses of the HTTP API. Mirrors no spec module. */
import { LockstepError } from '../ports/lockstep-error.ts';

export type DxErrorCode = 'NOT_FOUND' | 'REQUEST_INVALID';

export class DxError extends LockstepError<DxErrorCode> {}
