/**
 * The DX API, when this build has it: the one place of impl that reaches into impl/dx, at start-up and by name. The name is no
 * literal of the import, so that the compiler does not need the folder either. Mirrors no spec module.
 */
import type { DxPlugin } from '../server/server-config.ts';

const PLUGIN: string = '../dx/plugin.ts';

/** Undefined in a build without the folder. */
export async function loadDxPlugin(): Promise<DxPlugin | undefined> {
  try {
    const { dxPlugin } = (await import(PLUGIN)) as { dxPlugin: DxPlugin };
    return dxPlugin;
  } catch (cause) {
    const isAbsent = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND';
    if (isAbsent && /[\\/]dx[\\/]plugin\.[jt]s/.test(cause.message)) return undefined;
    throw cause;
  }
}
