/** Entry of the page: puts the application into the document. Mirrors no spec module. */
import { render } from 'preact';

const root = document.getElementById('page');
if (root !== null) render(<main>Lockstep</main>, root);
