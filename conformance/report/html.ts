/** Text to HTML: escaping and accessible tables, nothing else. */

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Made HTML, to tell it from text that is still to be escaped. */
export interface Html {
  readonly html: string;
}

export type Cell = string | number | Html;

export function cellHtml(cell: Cell): string {
  return typeof cell === 'object' ? cell.html : escapeHtml(String(cell));
}

/** A table with a caption, column headers and the first cell of each row as its header. */
export function tableHtml(caption: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const body = rows.map(
    ([first = '', ...rest]) =>
      `<tr><th scope="row">${cellHtml(first)}</th>${rest.map((cell) => `<td>${cellHtml(cell)}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(caption)}"><table><caption>${escapeHtml(caption)}</caption>
<thead><tr>${head.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('')}</tr></thead>
<tbody>
${body.join('\n')}
</tbody></table></div>`;
}

/** Good or bad by word and by colour: colour alone tells some readers nothing. */
export function mark(ok: boolean, text: string | number): Html {
  return { html: `<span class="${ok ? 'good' : 'bad'}">${ok ? '✓' : '✗'} ${escapeHtml(String(text))}</span>` };
}
