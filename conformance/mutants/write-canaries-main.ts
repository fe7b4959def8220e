/** Entry of `make canaries`. */
import { writeFileSync } from 'node:fs';
import { components } from '../components/all.ts';
import { canariesPage } from './canaries-page.ts';

writeFileSync('docs/canaries.md', canariesPage('.', components));
