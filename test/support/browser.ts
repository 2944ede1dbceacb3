import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { CHROMIUM } from './system-tools.js';

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}

/** What a page does that nobody sees. */
export interface Overheard {
  /** Errors and warnings it gave. */
  readonly complaints: string[];
  /** URLs it asked for, their beginnings: one may hold a whole picture. */
  readonly requests: string[];
}

/** From now on; several pages may be heard together. */
export function overhear(
  page: Page,
  { complaints, requests }: Overheard = { complaints: [], requests: [] },
): Overheard {
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => requests.push(request.url().slice(0, 200)));
  return { complaints, requests };
}

interface AxeAnswer {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/**
 * The rules a page breaks that people with other eyes and hands rely on, by axe-core, each with the first place. From
 * outside, as our pages run no scripts but their own.
 */
export async function axeViolations(page: Page): Promise<unknown[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeAnswer>('axe.run()');
  return violations.map(({ id, nodes }) => [id, nodes[0]?.html.slice(0, 300), nodes[0]?.failureSummary]);
}
