/** Where the command line gets the DX API from. Mirrors no spec module. */
import type { DxPlugin } from '../server/server-config.ts';

export function loadDxPlugin(): Promise<DxPlugin | undefined> {
  return Promise.resolve(undefined);
}
