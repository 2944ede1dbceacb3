// How the studio bears a large folder: when the first screen is there, how smoothly it scrolls, what the server holds.
// Usage: node bench/studio.mjs [photos, 5000]   (needs Chromium; CHROMIUM names another than /usr/bin/chromium)
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import sharp from 'sharp';

const nPhotos = Number(process.argv[2] ?? 5000);
const root = path.resolve(import.meta.dirname, '..');
const folder = mkdtempSync(path.join(tmpdir(), 'framewright-bench-studio-'));
const examples = path.join(root, 'examples', 'photos');

// Of 12 megapixels, as cameras and phones make them; many names of a few files.
const sources = readdirSync(examples).filter((name) => name.endsWith('.jpg'));
for (const [i, name] of sources.entries()) {
  const file = path.join(folder, `photo-${String(i).padStart(5, '0')}.jpg`);
  await sharp(path.join(examples, name)).resize(4000, 3000, { fit: 'cover' }).jpeg({ quality: 85 }).toFile(file);
}
for (let i = sources.length; i < nPhotos; i++) {
  const of = (n) => path.join(folder, `photo-${String(n).padStart(5, '0')}.jpg`);
  linkSync(of(i % sources.length), of(i));
}

const child = spawn(
  process.execPath,
  [path.join(root, 'dist/src/cli/main.js'), 'studio', folder, '--engine', 'rules', '--port', '0'],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
const started = performance.now();
const [link] = await once(child.stdout.setEncoding('utf8'), 'data');
console.log(`${nPhotos} photos of 12 megapixels, load average ${loadavg()[0].toFixed(1)}`);
console.log(`the server is there after ${(performance.now() - started).toFixed(0)} ms`);
const heldMb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024;
console.log(`it holds ${heldMb().toFixed(0)} MB`);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const opened = performance.now();
  await page.goto(link.trim());
  await page.waitForSelector('.cell');
  console.log(`the grid is there after ${(performance.now() - opened).toFixed(0)} ms`);
  const inSight =
    '[...document.querySelectorAll(".cell img")].filter((image) => image.getBoundingClientRect().top < innerHeight)';
  // Not by waitForFunction: the page's rules let no text become code in it.
  while (!(await page.evaluate(`${inSight}.every((image) => image.complete && image.naturalWidth > 0)`))) {
    await setTimeout(20);
  }
  console.log(
    `its pictures after ${(performance.now() - opened).toFixed(0)} ms, ${await page.locator('.cell').count()} cells`,
  );
  for (let round = 1; round <= 3; round++) {
    const frames = await page.evaluate(scroll, 5000);
    const gaps = frames
      .slice(1)
      .map((at, i) => at - frames[i])
      .sort((a, b) => a - b);
    const perSecond = (1000 * gaps.length) / (frames.at(-1) - frames[0]);
    const late = gaps.filter((gap) => gap > 40).length;
    console.log(
      `scrolling for 5 s: ${perSecond.toFixed(0)} frames a second, the median ${gaps[gaps.length >> 1].toFixed(1)} ms, ` +
        `99 % within ${gaps[Math.floor(0.99 * gaps.length)].toFixed(1)} ms, ${late} of ${gaps.length} over 40 ms; the server holds ${heldMb().toFixed(0)} MB`,
    );
  }
} finally {
  await browser.close();
  child.kill();
  rmSync(folder, { recursive: true });
}

/* global document, requestAnimationFrame */
/** In the page: scrolls by a quarter of a screen a frame, and says when frames were. */
function scroll(forMs) {
  return new Promise((resolve) => {
    const grid = document.querySelector('.grid');
    const frames = [];
    const step = (now) => {
      frames.push(now);
      grid.scrollTop += 60;
      if (now - frames[0] < forMs) requestAnimationFrame(step);
      else resolve(frames);
    };
    requestAnimationFrame(step);
  });
}
