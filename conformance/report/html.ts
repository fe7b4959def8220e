/** Text to HTML: escaping, numbers, accessible tables, nothing else. */

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Made HTML, to tell it from text that is still to be escaped. */
export interface Html {
  readonly html: string;
  /** Set in the column of a number. */
  readonly isNumber?: boolean;
}

export type Cell = string | number | Html;

function cellHtml(cell: Cell): string {
  if (typeof cell === 'object') return cell.html;
  return escapeHtml(typeof cell === 'number' ? grouped(cell) : cell);
}

/** 25476 as 25,476. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** A table with a caption, column headers and the first cell of each row as its header. Columns of numbers stand to the right. */
export function tableHtml(caption: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const isNumber = (cell: Cell | undefined): boolean =>
    typeof cell === 'number' || (typeof cell === 'object' && cell.isNumber === true);
  const aligned = head.map((_, at) => at > 0 && rows.some((row) => isNumber(row[at])));
  const attribute = (at: number): string => (aligned[at] === true ? ' class="number"' : '');
  const body = rows.map(
    ([first = '', ...rest]) =>
      `<tr><th scope="row">${cellHtml(first)}</th>${rest.map((cell, at) => `<td${attribute(at + 1)}>${cellHtml(cell)}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(caption)}"><table><caption>${escapeHtml(caption)}</caption>
<thead><tr>${head.map((name, at) => `<th scope="col"${attribute(at)}>${escapeHtml(name)}</th>`).join('')}</tr></thead>
<tbody>
${body.join('\n')}
</tbody></table></div>`;
}

/** Good or bad by word and by colour: colour alone tells some readers nothing. */
export function mark(ok: boolean, text: string | number): Html {
  const shown = typeof text === 'number' ? grouped(text) : text;
  const html = `<span class="${ok ? 'good' : 'bad'}">${ok ? '✓' : '✗'} ${escapeHtml(shown)}</span>`;
  return { html, isNumber: typeof text === 'number' };
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
