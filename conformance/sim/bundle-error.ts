/** What may be wrong with a saved failure: a bundle, or a regression of traces/sim. Mirrors no spec module. */
import { LockstepError } from '../../impl/ports/lockstep-error.ts';

export type BundleErrorCode =
  | 'SIM_BUNDLE_NOT_FOUND'
  | 'SIM_BUNDLE_UNREADABLE' // the system refuses to read it, or it is larger than any bundle
  | 'SIM_BUNDLE_NOT_ZSTD'
  | 'SIM_BUNDLE_DAMAGED' // its checksum does not hold, or it ends too early
  | 'SIM_BUNDLE_NOT_JSON'
  | 'SIM_BUNDLE_NOT_A_BUNDLE'
  | 'SIM_BUNDLE_NEWER' // of a later format
  | 'SIM_BUNDLE_OTHER_SOURCES' // made by other code: an error only when the history differs, too
  | 'SIM_BUNDLE_NOT_REPEATED' // the same code, and another history
  | 'SIM_BUNDLE_NOT_SAVED'
  | 'SIM_BUNDLE_DOES_NOT_FAIL'
  | 'SIM_BUNDLE_FAILS_OTHERWISE'
  | 'SIM_REGRESSION_DAMAGED'
  | 'SIM_REGRESSION_EXISTS'
  | 'SIM_REGRESSION_OF_CANARY'; // fails on purpose, for ever

export class BundleError extends LockstepError<BundleErrorCode> {}
