/** Why a listener cannot start: what, where and what to do. Mirrors no spec module. */
import { LockstepError } from './lockstep-error.ts';

export type NetworkErrorCode =
  | 'NETWORK_PORT_IN_USE'
  | 'NETWORK_NO_PERMISSION'
  | 'NETWORK_BAD_ADDRESS'
  | 'NETWORK_FAILED';
export class NetworkError extends LockstepError<NetworkErrorCode> {}

export function listenError(error: NodeJS.ErrnoException, host: string, port: number): NetworkError {
  const place = `${host}:${port}`;
  const evidence = { host, port, system: error.code ?? 'unknown' };
  if (error.code === 'EADDRINUSE') {
    const message = `cannot listen on ${place}: the port is in use; stop the program that has it or choose another port`;
    return new NetworkError('NETWORK_PORT_IN_USE', message, evidence, error);
  }
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    const message = `cannot listen on ${place}: no permission; ports below 1024 need the right to bind them`;
    return new NetworkError('NETWORK_NO_PERMISSION', message, evidence, error);
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') {
    const message = `cannot listen on ${place}: this machine has no such address; check the address list and this replica's index`;
    return new NetworkError('NETWORK_BAD_ADDRESS', message, evidence, error);
  }
  return new NetworkError('NETWORK_FAILED', `cannot listen on ${place}: ${error.message}`, evidence, error);
}
