/**
 * Goal: the page works for people: by keyboard, mouse and touch, on a phone and on a desk, in light and dark, with a screen
 * reader as far as axe-core tells. Method: a made-up run with hostile texts in the Chromium of this machine.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vsrExplanation } from '../../../../conformance/drivers/vsr-explained.ts';
import { htmlTimeline } from '../../../../conformance/sim/timeline/html-timeline.ts';
import { fakeRun } from './fake-run.ts';
import { chromiumPath, launch, openPage, violationsOf } from './open-page.ts';

const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 375, height: 720 };

/** Needs the package chromium: without it nothing here can be seen. */
describe.skipIf(chromiumPath === undefined)('the page of a run in a browser', () => {
  let browser: Browser;
  let html: string;

  beforeAll(async () => {
    html = htmlTimeline({ ...fakeRun({ operations: 60, failing: true }), explain: await vsrExplanation.load() });
    browser = await launch();
  });
  afterAll(async () => browser.close());

  const titleOf = async (page: Page): Promise<string> => page.locator('#panel-title').innerText();
  const seenOf = async (page: Page): Promise<readonly number[]> => {
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    const text = await page.locator('#seen').textContent();
    return [...(text ?? '').matchAll(/[\d,.]+(?= ms)/g)].map(([number]) => Number(number.replaceAll(',', '')));
  };

  it.each([
    ['light', WIDE],
    ['dark', WIDE],
    ['light', NARROW],
    ['dark', NARROW],
  ] as const)(
    '%s, %o: no complaint, nothing fetched, nothing wider than the screen, axe-core finds nothing',
    async (colorScheme, viewport) => {
      const { page, complaints, close } = await openPage(browser, html, { colorScheme, viewport });
      expect(await violationsOf(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(viewport.width);
      await page.focus('#stage');
      for (const key of ['Home', 'n', 'n', 'n', 'n']) await page.keyboard.press(key);
      expect(await violationsOf(page)).toEqual([]);
      await page.keyboard.press('t');
      expect(await violationsOf(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(viewport.width);
      await page.keyboard.press('?');
      expect(await violationsOf(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    },
  );

  it('opens at the failure; keys move the selection, the view and the focus', async () => {
    const { page, complaints, close } = await openPage(browser, html, { viewport: WIDE });
    expect(await titleOf(page)).toMatch(/^failure: invariants: CommittedSurvives/);
    await page.focus('#stage');
    await page.keyboard.press('Home');
    const first = await titleOf(page);
    expect(first).toContain('client 0 calls #0');
    await page.keyboard.press('n');
    expect(await titleOf(page)).toBe('r0 ClientRequest taken');
    await page.keyboard.press('p');
    expect(await titleOf(page)).toBe(first);
    await page.keyboard.press('ArrowDown');
    expect(await titleOf(page)).toMatch(/r0/);

    const whole = await seenOf(page);
    await page.keyboard.press('+');
    await page.keyboard.press('+');
    const near = await seenOf(page);
    expect(spanOf(near)).toBeLessThan(spanOf(whole) / 2);
    await page.keyboard.press('ArrowRight');
    const moved = await seenOf(page);
    expect(moved[0]).toBeGreaterThan(near[0] ?? 0);
    await page.keyboard.press('-');
    expect(spanOf(await seenOf(page))).toBeGreaterThan(spanOf(moved));
    await page.keyboard.press('f');
    expect(await titleOf(page)).toMatch(/^failure/);
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('panel');
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.id')).toBe('stage');
    expect(complaints).toEqual([]);
    await close();
  });

  it('a filter narrows what n and p go through, and the table', async () => {
    const { page, close } = await openPage(browser, html, { viewport: WIDE });
    await page.focus('#stage');
    await page.keyboard.press('Home');
    await page.keyboard.press('/');
    await page.keyboard.type('receiveprepareok r0 -refused');
    await page.keyboard.press('Enter');
    for (let at = 0; at < 3; at++) {
      await page.keyboard.press('n');
      expect(await titleOf(page)).toMatch(/^r0 ReceivePrepareOk taken/);
    }
    await page.keyboard.press('t');
    const rows = page.locator('#table-rows tr');
    expect(await page.locator('#matches').innerText()).toMatch(new RegExp(`^${await rows.count()} of `));
    await rows.nth(0).getByRole('button').click();
    expect(await rows.nth(0).getAttribute('aria-current')).toBe('true');
    await close();
  });

  it('the panel shows the guards with their values, the state with what changed, and the explanation', async () => {
    const { page, close } = await openPage(browser, html, { viewport: WIDE });
    await page.fill('#filter', 'r1 receiveprepare taken');
    await page.focus('#stage');
    await page.keyboard.press('Home');
    const guard = page.locator('.guard-list li', { hasText: 'NextInSequence' });
    expect(await guard.innerText()).toMatch(/✓ holds NextInSequence[\s\S]*event\.message\.op = 1\s+context\.op = 0/);
    expect(await guard.innerText()).toMatch(/specs\/Vsr\.tla:\d+/);
    expect(await page.locator('tr.changed').allInnerTexts()).toEqual(
      expect.arrayContaining([expect.stringMatching(/^op \(changed\)\s+0 → 1/)]),
    );
    expect(await page.locator('#panel pre').innerText()).toMatch(
      /^Replica 1 is normal and a backup of view 0[\s\S]*decided by\n {2}fails {2}Vsr\.ClientRequest\.IsPrimary/,
    );
    await page.fill('#filter', 'receiveprepare refused');
    await page.focus('#stage');
    await page.keyboard.press('n');
    expect(await page.locator('.guard-list li').first().innerText()).toMatch(/✗ fails/);
    expect(await page.locator('#panel pre').innerText()).toMatch(/^ReceivePrepare from replica \d was refused/);
    expect(await page.locator('#panel-title').getAttribute('aria-live')).toBe('polite');
    await close();
  });

  it('wheel zooms where the pointer is, dragging moves, a click selects what is there', async () => {
    const { page, close } = await openPage(browser, html, { viewport: WIDE });
    const box = await page.locator('#stage').boundingBox();
    if (box === null) throw new Error('the stage has no place');
    const whole = await seenOf(page);
    await page.mouse.move(box.x + 100, box.y + 300);
    for (let at = 0; at < 6; at++) await page.mouse.wheel(0, -200);
    const near = await seenOf(page);
    expect(spanOf(near)).toBeLessThan(spanOf(whole) / 10);
    expect(near[0]).toBeLessThan(40);
    await page.mouse.move(box.x + 600, box.y + 300);
    await page.mouse.down();
    await page.mouse.move(box.x + 300, box.y + 300, { steps: 5 });
    await page.mouse.up();
    expect((await seenOf(page))[0]).toBeGreaterThan(near[0] ?? 0);

    await page.focus('#stage');
    await page.keyboard.press('0');
    await page.keyboard.press('f');
    const before = await titleOf(page);
    const primary = await page.evaluate<[number, number]>(
      `(() => { const b = document.getElementById('stage').getBoundingClientRect(); return [b.left, b.bottom]; })()`,
    );
    let clicked = before;
    for (let x = 100; x < box.width && clicked === before; x += 6) {
      await page.mouse.click(primary[0] + x, primary[1] - 40);
      clicked = await titleOf(page);
    }
    expect(clicked).toMatch(/^r2|-> r2/);
    await close();
  });

  it('two fingers zoom, one moves, a tap selects (375 px)', async () => {
    const { page, complaints, close } = await openPage(browser, html, {
      viewport: NARROW,
      hasTouch: true,
      isMobile: true,
    });
    const box = await page.locator('#stage').boundingBox();
    if (box === null) throw new Error('the stage has no place');
    const session = await page.context().newCDPSession(page);
    const y = Math.round(Math.min(box.y + 200, NARROW.height - 40));
    const touch = async (type: 'touchStart' | 'touchMove' | 'touchEnd', ...xs: number[]): Promise<void> => {
      await session.send('Input.dispatchTouchEvent', { type, touchPoints: xs.map((x, id) => ({ x, y, id })) });
    };
    const whole = await seenOf(page);
    await touch('touchStart', 150, 220);
    for (let by = 10; by <= 80; by += 10) await touch('touchMove', 150 - by, 220 + by);
    await touch('touchEnd');
    const near = await seenOf(page);
    expect(spanOf(near)).toBeLessThan(spanOf(whole) / 2);
    await touch('touchStart', 120);
    for (let x = 130; x <= 300; x += 10) await touch('touchMove', x);
    await touch('touchEnd');
    expect((await seenOf(page))[0]).toBeLessThan(near[0] ?? 0);
    expect(complaints).toEqual([]);
    await close();
  });

  it('the switch goes from the system to light to dark and back, and colours follow', async () => {
    const { page, close } = await openPage(browser, html, { viewport: WIDE, colorScheme: 'light' });
    const paper = async (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const system = await paper();
    await page.click('#theme');
    expect(await paper()).toBe(system);
    await page.click('#theme');
    expect(await page.locator('#theme').innerText()).toBe('Theme: dark');
    expect(await paper()).not.toBe(system);
    expect(await violationsOf(page)).toEqual([]);
    await page.click('#theme');
    expect(await paper()).toBe(system);
    await close();
  });

  it('an address with a step opens there; a run without failure and without explanations is shown, too', async () => {
    const plain = htmlTimeline(fakeRun({ operations: 20 }));
    const { page, complaints, close } = await openPage(browser, plain, { viewport: WIDE }, '#step=9');
    expect(await page.locator('#panel-body dd').first().innerText()).toBe('9');
    expect(await page.locator('#to-failure').isVisible()).toBe(false);
    expect(complaints).toEqual([]);
    await close();
  });
});

function spanOf([from = 0, until = 0]: readonly number[]): number {
  return until - from;
}
