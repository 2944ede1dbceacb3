import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FAMILIES, type FamilyName } from '../gguf/index.js';
import { judgeSeeds, type Report } from './fuzz/child.js';
import { mutatedPair } from './fuzz/mutated-pair.js';
import { seedsOf } from './fuzz/seed-ranges.js';
import { runWatched } from './fuzz/watched-child.js';

const USAGE = `Feeds mutated GGUF pairs to validation and, where they pass, to llama.cpp: each must end in a typed error or a
working model, never in a crash, a hang or runaway memory.

  npm run fuzz:gguf -- [--count 5000] [--from 0]   judge this many seeds, from this one
  npm run fuzz:gguf -- --write folder --from 17    write the pair of one seed, to look at
  npm run fuzz:gguf -- --family qwen35             pairs of one family alone; default: each of any
`;
/** The time is generous because a busy machine may give a child little of it: what hangs, hangs for ever. */
const LIMITS = { seedMs: 300_000, rssBytes: 2 ** 31 };
/** A child is replaced after so many seeds, so that a leak shows as its own. */
const SEEDS_A_CHILD = 250;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '5000' },
    from: { type: 'string', default: '0' },
    write: { type: 'string' },
    family: { type: 'string' },
    child: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const [count, from] = [Number(values.count), Number(values.from)];
const family = Object.keys(FAMILIES).find((name) => name === values.family) as FamilyName | undefined;

if (values.child !== undefined) {
  await judgeSeeds(seedsOf(values.child), family, (report) => process.send?.(report));
  process.disconnect();
} else if (
  values.help ||
  !Number.isSafeInteger(count) ||
  !Number.isSafeInteger(from) ||
  (values.family !== undefined && !family)
) {
  process.stdout.write(USAGE);
} else if (values.write !== undefined) {
  await writePair(values.write, from);
} else {
  process.exitCode = (await fuzz(Array.from({ length: count }, (_, i) => from + i))) === 0 ? 0 : 1;
}

async function writePair(folder: string, seed: number): Promise<void> {
  const { text, mmproj, mutations } = mutatedPair(seed, family);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'model.gguf'), text);
  await writeFile(path.join(folder, 'mmproj.gguf'), mmproj);
  process.stdout.write(`seed ${seed}: ${mutations.join(', ')}\n`);
}

/** Prints how seeds ended, and each that ended badly; returns how many those are. */
async function fuzz(seeds: readonly number[]): Promise<number> {
  const counts = new Map<string, number>();
  let nBad = 0;
  const begun: Extract<Report, { mutations: unknown }>[] = [];
  const add = (outcome: string): void => void counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const tell = (seed: number | undefined, what: string): void => {
    const { mutations } = begun.find((report) => report.seed === seed) ?? { mutations: [] };
    process.stdout.write(`seed ${seed ?? '?'} (${mutations.join(', ')}): ${what.replaceAll(/\s+/g, ' ')}\n`);
  };
  const bad = (seed: number | undefined, what: string): void => {
    nBad++;
    add(what.split(':')[0]!);
    tell(seed, what);
  };
  const onReport = (sent: unknown): void => {
    const report = sent as Report;
    if ('mutations' in report) begun.push(report);
    else if ('error' in report) bad(report.seed, report.error);
    else {
      add(outcomeOf(report.verdict));
      // Not bad, but validation could have said it sooner and better.
      if (report.verdict.kind === 'failed' && report.verdict.stage === 'load') {
        tell(report.seed, report.verdict.message);
      }
    }
  };
  const args = family ? ['--family', family] : [];
  let left = seeds;
  while (left.length > 0) {
    const batch = left.slice(0, SEEDS_A_CHILD);
    const death = await runWatched(fileURLToPath(import.meta.url), batch, LIMITS, onReport, args);
    if (death !== undefined) bad(begun.at(-1)?.seed, death);
    // A child that died before its first seed would be started for ever.
    const nJudged = death === undefined ? batch.length : Math.max(1, batch.indexOf(begun.at(-1)?.seed ?? -1) + 1);
    left = left.slice(nJudged);
    process.stderr.write(`\r${seeds.length - left.length} of ${seeds.length}`);
  }
  process.stderr.write('\n');
  for (const [outcome, n] of [...counts].sort()) process.stdout.write(`${String(n).padStart(6)}  ${outcome}\n`);
  return nBad;
}

function outcomeOf(verdict: Extract<Report, { verdict: unknown }>['verdict']): string {
  if (verdict.kind === 'works') return 'works';
  if (verdict.kind === 'refused') return `refused by validation, ${verdict.code}`;
  return `typed error from native code, ${verdict.code} at ${verdict.stage}`;
}
