import { readdirSync, realpathSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { CropResult } from '../../../src/base/schema.js';
import { framewright } from '../run.js';
import { usePhotoFolder } from './photo-folder.js';

const { at, run } = usePhotoFolder();
const results = (text: string): CropResult[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as CropResult);
const crops = (): string[] => readdirSync(at('out')).filter((name) => name.endsWith('.jpg'));

test('unsure crops are listed, not written; a later run takes the list and does the rest', async () => {
  const args = ['--engine', 'rules', '-a', '1:1', '-a', '3:2', '-o', 'out'];
  const plain = results((await run(...args, '--dry-run', '--json', 'in')).stdout);
  const sorted = plain.map(({ confidence }) => confidence!).sort((a, b) => a - b);
  expect(new Set(sorted).size).toBe(4);

  const first = await run(...args, '--json', '--min-confidence', String(sorted[2]), 'in');
  expect(first.code).toBe(0);
  expect(first.stderr).toBe('framewright: 2 crops are left for review: framewright --hints out/review.jsonl\n');
  const unsure = results(first.stdout).filter(({ verdict }) => verdict === 'review');
  expect(unsure.map(({ confidence }) => confidence).sort()).toEqual(sorted.slice(0, 2));
  expect(unsure.map(({ output }) => output)).toEqual([[], []]);
  expect(crops()).toHaveLength(2);
  const list = readFileSync(at('out', 'review.jsonl'), 'utf8').trimEnd().split('\n');
  expect(list.map((line) => JSON.parse(line) as object)).toEqual(
    unsure.map(({ photo, target, candidates, best, confidence, why }) => ({
      path: photo.path,
      folder: realpathSync(at()),
      aspect: target.aspect,
      photo: { widthPx: photo.widthPx, heightPx: photo.heightPx },
      box: candidates[best]!.box,
      confidence,
      why,
    })),
  );

  // Resuming leaves them for review as before.
  const resumed = await run(...args, '--json', '--min-confidence', String(sorted[2]), '--resume', 'in');
  expect(resumed.stderr).toContain('2 of 2 photos were done earlier');
  expect(resumed.stdout).toBe(first.stdout);
  expect(readFileSync(at('out', 'review.jsonl'), 'utf8').trimEnd().split('\n')).toEqual(list);

  // From another folder too, since each line says where its run stood.
  const elsewhere = await framewright(['--engine', 'centre', '--hints', 'review.jsonl', '--dry-run'], {
    cwd: at('out'),
  });
  expect(elsewhere).toMatchObject({ code: 0, stdout: expect.stringContaining(`${at('in')}/`) as string });
  const later = await run('--engine', 'centre', '--hints', 'out/review.jsonl', '-o', 'out');
  expect(later.code).toBe(0);
  expect(later.stdout.trimEnd().split('\n')).toHaveLength(2);
  expect(crops()).toHaveLength(4);
});

test('a list with nothing left to review goes, one that names other photos or holds wishes of somebody stays', async () => {
  const args = ['--engine', 'rules', '-o', 'out/'];
  const sure = ['--min-confidence', '0.01', '--force'];
  const file = at('out', 'review.jsonl');
  expect((await run(...args, '--min-confidence', '1', 'in')).code).toBe(0);
  const list = readFileSync(file, 'utf8');
  expect((await run(...args, ...sure, 'in/dogs.jpg')).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(list);
  const changed = list.replace('{"path"', '{"focus":[10,10],"path"');
  writeFileSync(file, changed);
  expect((await run(...args, ...sure, 'in')).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(changed);
  writeFileSync(file, list);
  expect((await run(...args, ...sure, 'in')).code).toBe(0);
  expect(readdirSync(at('out'))).not.toContain('review.jsonl');
});

test('a crop left for review is in no sidecar either', async () => {
  const { code, stdout } = await run('--engine', 'rules', '--xmp', '--min-confidence', '1', 'in/dogs.jpg');
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  expect(readdirSync(at('in')).sort()).toEqual(['dogs.jpg', 'pagoda.jpg', 'review.jsonl']);
});

test('--fallback has other ideas than review, and no list', async () => {
  const { code, stdout } = await run(
    ...['--engine', 'rules', '-o', 'out', '--json', '--min-confidence', '1', '--fallback', 'keep', 'in'],
  );
  expect(code).toBe(0);
  expect(results(stdout).map(({ verdict, fallback }) => [verdict, fallback])).toEqual([
    ['keep', 'keep'],
    ['keep', 'keep'],
  ]);
  expect(crops()).toEqual(['dogs-crop.jpg', 'pagoda-crop.jpg']);
  expect(readdirSync(at('out'))).not.toContain('review.jsonl');
});

test('hints change single photos, are part of what a run did, and a path that is none of the photos is told', async () => {
  writeFileSync(
    at('hints.jsonl'),
    '{"path": "in/dogs.jpg", "keep": [[0, 0, 700, 700]]}\n{"path": "in/cats.jpg", "focus": [1, 1]}\n',
  );
  const args = ['--engine', 'full', '-a', '1:1', '--json', '-o', 'out', '--hints', 'hints.jsonl'];
  const hinted = await run(...args, 'in');
  expect(hinted.stderr).toBe(
    'framewright: 1 hint is for a photo that is not among those given (hints.jsonl:2: in/cats.jpg)\n',
  );
  expect(results(hinted.stdout).map(({ crop }) => crop.y)).toEqual([0, 0]);
  expect(
    results((await run('--engine', 'full', '-a', '1:1', '--json', '--dry-run', 'in')).stdout)[0]!.crop.y,
  ).toBeGreaterThan(190);
  writeFileSync(at('hints.jsonl'), '{"path": "in/dogs.jpg", "keep": [[0, 0, 700, 710]]}\n');
  expect((await run(...args, '--resume', '--force', 'in')).stderr).toContain('1 of 2 photos was done earlier');
});

test.each([
  [['--fallback', 'keep', 'in'], /--fallback is for crops below --min-confidence/],
  [['--review-list', 'x.jsonl', 'in'], /--review-list x\.jsonl is for crops below --min-confidence/],
  [
    ['--review-list', 'x.jsonl', '--min-confidence', '1', '--fallback', 'keep', 'in'],
    /with --fallback keep no crop is left for --review-list x\.jsonl/,
  ],
  [['-o', '-', '--min-confidence', '1', 'in/dogs.jpg'], /leave stdout empty; choose another --fallback \(rules, /],
  [['--temperature', 'abc', 'in'], /It is a number from 0 to 5/],
  [['--temperature', '-1', 'in'], /It is a number from 0 to 5/],
  [['--min-confidence', '2', 'in'], /share from 0 to 1/],
  [['--focus', '10', 'in'], /x,y in whole pixels/],
  [['--focus', '150%,10%', 'in'], /x,y in whole pixels/],
  [['--hints', 'none.jsonl'], /hints file none\.jsonl does not exist/],
  [[], /missing required argument 'photos'/],
])('%j is refused', async (args, message) => {
  const { code, stdout, stderr } = await run('--engine', 'full', ...args);
  expect([1, 2]).toContain(code);
  expect(stdout).toBe('');
  expect(stderr).toMatch(message);
});

test('a dry run writes the list only where it is asked for by name', async () => {
  const args = ['--engine', 'rules', '--min-confidence', '1', '--dry-run', 'in'];
  await run(...args);
  expect(readdirSync(at('in'))).not.toContain('review.jsonl');
  await run('--review-list', 'unsure.jsonl', ...args);
  expect(readFileSync(at('unsure.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(2);
});
