/** The public entry of the client library. */
export { type AppendOptions, type ClientOptions, LockstepClient } from './client.ts';
export { ClientError, type ClientErrorCode } from './client-error.ts';
export { type LoadFigures, type LoadOptions, runLoad } from './load.ts';
export type { Address } from './server-link.ts';
