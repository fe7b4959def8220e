/** Entry of `make explain-page`. */
import { writeFileSync } from 'node:fs';
import { components } from '../components/all.ts';
import { EXPLAIN_PAGE, explainPage } from './explain-page.ts';

writeFileSync(EXPLAIN_PAGE, await explainPage(components));
