// How the studio bears a large folder: when the first screen is there, how smoothly it scrolls, what the server holds.
// `node bench/studio.mjs [--photos 5000]` after `npm run build`; Linux, with Chromium (CHROMIUM names another than
// /usr/bin/chromium).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { CHROMIUM, machineNow, root, round, writeResults } from './measuring.mjs';

const { values } = parseArgs({ options: { photos: { type: 'string', default: '5000' } } });
const nPhotos = Number(values.photos);
const machine = machineNow();
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
const serverMs = since(started);
console.log(`${nPhotos} photos of 12 megapixels; the server is there after ${serverMs} ms`);
const heldMb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024;
console.log(`it holds ${heldMb().toFixed(0)} MB`);

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const opened = performance.now();
  await page.goto(link.trim());
  await page.waitForSelector('.cell');
  const gridMs = since(opened);
  console.log(`the grid is there after ${gridMs} ms`);
  const inSight =
    '[...document.querySelectorAll(".cell img")].filter((image) => image.getBoundingClientRect().top < innerHeight)';
  // Not by waitForFunction: the page's rules let no text become code in it.
  while (!(await page.evaluate(`${inSight}.every((image) => image.complete && image.naturalWidth > 0)`))) {
    await setTimeout(20);
  }
  const picturesMs = since(opened);
  const nCells = await page.locator('.cell').count();
  console.log(`its pictures after ${picturesMs} ms, ${nCells} cells`);
  const scrolls = [];
  for (let time = 1; time <= 3; time++) {
    const frames = await page.evaluate(scroll, 5000);
    const gaps = frames
      .slice(1)
      .map((at, i) => at - frames[i])
      .sort((a, b) => a - b);
    const framesPerSecond = round((1000 * gaps.length) / (frames.at(-1) - frames[0]), 0);
    const [medianMs, mostMs] = [gaps[gaps.length >> 1], gaps[Math.floor(0.99 * gaps.length)]].map((ms) => round(ms, 1));
    const nLate = gaps.filter((gap) => gap > 40).length;
    const serverMb = round(heldMb(), 0);
    scrolls.push({ framesPerSecond, medianMs, mostMs, nLate, nFrames: gaps.length, serverMb });
    console.log(
      `scrolling for 5 s: ${framesPerSecond} frames a second, the median ${medianMs} ms, 99 % within ${mostMs} ms, ` +
        `${nLate} of ${gaps.length} over 40 ms; the server holds ${serverMb} MB`,
    );
  }
  writeResults('studio', { ...machine(), nPhotos, serverMs, gridMs, picturesMs, nCells, scrolls });
} finally {
  await browser.close();
  child.kill();
  rmSync(folder, { recursive: true });
}

function since(at) {
  return round(performance.now() - at, 0);
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
