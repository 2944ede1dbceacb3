// What benches share: photos to run on, the machine and how busy it was, and where figures are kept.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..');

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** `count` photos of a folder, again from its first where it has fewer. Default: the example photos, and each once. */
export function photosOf(folder = path.join(root, 'examples', 'photos'), count) {
  const files = readdirSync(folder)
    .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
    .map((name) => path.join(folder, name));
  if (files.length === 0) throw new Error(`no photos in ${folder}`);
  return Array.from({ length: count ?? files.length }, (_, i) => files[i % files.length]);
}

/**
 * Looks at the machine. What it returns, called at the end of the measuring, says what the machine is and how busy it was:
 * the load at both ends, and the processors' time in between that went to others than this process and its children.
 */
export function machineNow() {
  const before = { load: loadavg()[0], busyMs: busyMs(), own: ownMs(), at: performance.now() };
  return () => {
    const wallMs = performance.now() - before.at;
    const others = busyMs() - before.busyMs - (ownMs() - before.own);
    return {
      date: new Date().toISOString(),
      cpu: cpus()[0]?.model,
      cores: availableParallelism(),
      node: process.version,
      loadAtStart: round(before.load, 2),
      loadAtEnd: round(loadavg()[0], 2),
      coresBusyWithOthers: round(Math.max(0, others) / wallMs, 2),
    };
  };
}

function busyMs() {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

function ownMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Where figures are kept; `run.mjs --short` has another for those that are not to be. */
export function resultsFolder() {
  return process.env.FRAMEWRIGHT_BENCH_RESULTS ?? path.join(root, 'bench', 'results');
}

export function writeResults(name, results) {
  const folder = resultsFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(results, undefined, 2)}\n`);
}

/** What was kept before, for figures to be added to. */
export function earlierResults(name) {
  try {
    return JSON.parse(readFileSync(path.join(resultsFolder(), `${name}.json`), 'utf8'));
  } catch {
    return {};
  }
}

/** Puts a table between its markers in docs/performance.md, where its figures are kept too. */
export function writeTable(name, text) {
  if (process.env.FRAMEWRIGHT_BENCH_RESULTS !== undefined) return;
  const file = path.join(root, 'docs', 'performance.md');
  const page = readFileSync(file, 'utf8');
  const [begin, end] = [`<!-- ${name}: begin, by bench/${name}.mjs -->`, `<!-- ${name}: end -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`no place for the table: ${begin} is not in ${file}`);
  writeFileSync(file, `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`);
}

export function median(list) {
  const sorted = list.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}

export function round(value, digits) {
  return Number(value.toFixed(digits));
}
