/** Entry of `make spec-index`. */
import { writeFileSync } from 'node:fs';
import { SPEC_INDEX, specIndexText } from './write-index.ts';

writeFileSync(SPEC_INDEX, await specIndexText('.'));
