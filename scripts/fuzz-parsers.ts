import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judgeCases, type CaseReport } from './fuzz/cases.js';
import { seedsOf } from './fuzz/seed-ranges.js';
import { FUZZ_TARGETS } from './fuzz/targets/index.js';
import { runWatched } from './fuzz/watched-child.js';

const USAGE = `Feeds changed files to the parsers of foreign bytes: each must end in a result or a typed error, within 2 s and 1 GB.

  npm run fuzz -- [target ...] [count] [--from 0]   all targets, 5000 cases each, where none are named

Targets: ${FUZZ_TARGETS.map(({ name }) => name).join(', ')}; GGUF pairs have their own: npm run fuzz:gguf.
`;
const LIMIT_MS = 2000;
/** A case is slow by the processor's time it took; by the clock a busy machine makes any slow, and a hang lasts. */
const LIMITS = { seedMs: 60_000, rssBytes: 1e9 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: 'string', default: '0' },
    child: { type: 'string' },
    target: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const count = Number(positionals.find((word) => /^\d+$/.test(word)) ?? 5000);
const names = positionals.filter((word) => !/^\d+$/.test(word));
const wanted = names.length > 0 ? names : FUZZ_TARGETS.map(({ name }) => name);
const unknown = wanted.filter((name) => FUZZ_TARGETS.every((target) => target.name !== name));

if (values.child !== undefined) {
  const target = FUZZ_TARGETS.find(({ name }) => name === values.target)!;
  await judgeCases(target, seedsOf(values.child), (report) => process.send?.(report));
  process.disconnect();
} else if (values.help || unknown.length > 0) {
  process.stdout.write(unknown.length > 0 ? `no target is called ${unknown.join(', ')}\n\n${USAGE}` : USAGE);
  process.exitCode = unknown.length > 0 ? 2 : 0;
} else {
  let nBad = 0;
  for (const name of wanted) nBad += await fuzz(name, Number(values.from));
  process.exitCode = nBad === 0 ? 0 : 1;
}

/** Prints how the cases of one target ended, and each that ended badly; returns how many those are. */
async function fuzz(name: string, from: number): Promise<number> {
  const counts = new Map<string, number>();
  let nBad = 0;
  let slowest = 0;
  let mostBytes = 0;
  let begun: number | undefined;
  const bad = (seed: number | undefined, what: string): void => {
    nBad++;
    process.stdout.write(`${name} ${seed ?? '?'}: ${what.replaceAll(/\s+/g, ' ').slice(0, 500)}\n`);
  };
  const onReport = (sent: unknown): void => {
    const report = sent as CaseReport;
    if ('begun' in report) {
      begun = report.seed;
      return;
    }
    counts.set(report.outcome, (counts.get(report.outcome) ?? 0) + 1);
    slowest = Math.max(slowest, report.ms);
    mostBytes = Math.max(mostBytes, report.rssBytes);
    if (report.error !== undefined) bad(report.seed, report.error);
    else if (report.ms > LIMIT_MS) bad(report.seed, `slow: ${report.ms.toFixed(0)} ms`);
  };
  let left = Array.from({ length: count }, (_, i) => from + i);
  while (left.length > 0) {
    const args = ['--target', name];
    const death = await runWatched(fileURLToPath(import.meta.url), left, LIMITS, onReport, args);
    if (death !== undefined) bad(begun, death);
    left = death === undefined ? [] : left.slice(Math.max(1, left.indexOf(begun ?? -1) + 1));
  }
  const ends = [...counts].sort().map(([outcome, n]) => `${n} ${outcome}`);
  process.stdout.write(
    `${name}: ${count} cases, ${nBad} bad; ${ends.join(', ')}; slowest ${slowest.toFixed(0)} ms, most memory ${(mostBytes / 1e6).toFixed(0)} MB\n`,
  );
  return nBad;
}
