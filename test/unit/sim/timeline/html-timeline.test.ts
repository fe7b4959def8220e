/** Goal: the page needs nothing from anywhere, and no text of a run is markup or script in it. Method: the file as text. */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { htmlTimeline, PAGE_SCRIPT } from '../../../../conformance/sim/timeline/html-timeline.ts';
import { pageData } from '../../../../conformance/sim/timeline/page/data.ts';
import { fakeRun } from './fake-run.ts';

const input = fakeRun({ failing: true });
const scenario = { ...input.scenario, name: '<b>swarm</b>"', canary: '</style><script>' };
const html = htmlTimeline({ ...input, scenario });

describe('htmlTimeline', () => {
  it('escapes every text of the run', () => {
    expect(html).not.toContain('<b>swarm');
    expect(html).not.toContain('<img');
    expect(html.match(/<script\b[^>]*>/g)).toEqual(['<script type="text/plain" id="run">', '<script>']);
    expect(html).toContain('&#60;b&#62;swarm&#60;/b&#62;&#34;');
  });

  it('names no address, no file and no font', () => {
    const withoutSpec = html.replaceAll('specs/', '').replaceAll('machines/', '');
    expect(withoutSpec).not.toMatch(
      /https?:|<[^>]*\bsrc=|@import|url\(|<link|<iframe|\bfetch\(|XMLHttpRequest|\bimport\(/,
    );
  });

  it('allows its own script and no other', () => {
    const hash = createHash('sha256').update(PAGE_SCRIPT).digest('base64');
    expect(html).toContain(`script-src &#39;sha256-${hash}&#39;`);
    expect(html).toContain('default-src &#39;none&#39;');
    expect(html).toContain(`<script>${PAGE_SCRIPT}</script>`);
  });

  it('holds the whole run, and the same run makes the same page', () => {
    const packed = /id="run">([^<]*)</.exec(html)?.[1] ?? '';
    expect(JSON.parse(gunzipSync(Buffer.from(packed, 'base64')).toString())).toEqual(
      JSON.parse(JSON.stringify(pageData(input))),
    );
    expect(htmlTimeline({ ...input, scenario })).toBe(html);
  });
});
