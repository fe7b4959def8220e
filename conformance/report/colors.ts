/** Colours on a terminal only (or with FORCE_COLOR): picocolors by itself also colours what CI=true writes into files and pipes. */
import { createColors } from 'picocolors';

const { FORCE_COLOR, NO_COLOR } = process.env;

export const colors = createColors((process.stdout.isTTY || Boolean(FORCE_COLOR)) && !NO_COLOR);
