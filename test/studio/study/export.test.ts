import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readChoices } from '../../../src/batch/choices.js';
import type { Box } from '../../../src/base/geometry.js';
import { openCropper } from '../../../src/cropper/cropper.js';
import { exportText } from '../../../src/studio/study/export.js';
import { planFor } from '../../../src/studio/study/judge-plan.js';
import type { Preference } from '../../../src/studio/study/pairs.js';
import { knownJudgements, type KnownJudgement } from '../../../src/studio/study/results.js';
import { readStudy, type Study } from '../../../src/studio/study/study-file.js';
import { analystOf } from '../../../src/train/export/analyst.js';
import { exportTaste } from '../../../src/train/export/export-taste.js';
import { trainingUse } from '../../../src/train/export/use.js';
import { trainAdapter } from '../../../src/train/native/train-adapter.js';
import { readSource } from '../../../src/train/sources/read-source.js';
import { writeScenes, type ScenePhoto } from '../../train/scenes.js';

let root: string;
let photos: ScenePhoto[];
let study: Study;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'framewright-study-export-'));
  photos = await writeScenes(root, 8);
  const file = path.join(root, 'study.json');
  writeFileSync(
    file,
    JSON.stringify({
      judges: 3,
      photos: photos.map(({ name, size: { width, height } }, i) => {
        const side = Math.floor(0.7 * Math.min(width, height));
        const crops = {
          left: [0, 0, side, side],
          right: [width - side, height - side, width, height],
          ...(i === 0 && { middle: [1, 1, side + 1, side + 1] }),
        };
        return { path: name, aspect: '1:1', crops };
      }),
      checks: [{ path: photos[0]!.name, better: [0, 0, 100, 100], worse: [0, 0, 9, 9] }],
    }),
  );
  study = await readStudy(file);
});
afterAll(() => rmSync(root, { recursive: true }));

/** Judges who say this of each pair; undefined says nothing. */
function judged(say: (judge: number, name: string, methods: string) => Preference | undefined): KnownJudgement[] {
  const judgements = [0, 1, 2].flatMap((judge) =>
    planFor(study, judge).flatMap(({ pair, isALeft }) => {
      const preference = say(judge, pair.name, `${pair.a.method} ${pair.b.method}`);
      if (preference === undefined) return [];
      const answer = preference === 'tie' ? 'tie' : (preference === 'a') === isALeft ? 'left' : 'right';
      const left = (isALeft ? pair.a : pair.b).method;
      return [{ judge, pair: pair.id, left, answer, tookMs: 900, at: '2026-01-02T03:04:05Z' } as const];
    }),
  );
  return knownJudgements(study, judgements);
}

function boxOf(photo: number, method: 'left' | 'right' | 'middle'): Box {
  const { pairs } = study;
  const found = pairs.filter(({ name }) => name === photos[photo]!.name).flatMap(({ a, b }) => [a, b]);
  return found.find((crop) => crop.method === method)!.box;
}

test('a judgement as a line, and as a row, says what was seen and what was preferred', () => {
  const [one] = judged((judge, name) => (judge === 1 && name === photos[3]!.name ? 'b' : undefined));
  const [line] = exportText('jsonl', [one!]).trimEnd().split('\n');
  const read = JSON.parse(line!) as Record<string, unknown>;
  expect(read).toMatchObject({ judge: 2, photo: photos[3]!.name, target: '1:1', preferred: 'right', isCheck: false });
  expect(read[read.answer as string]).toBe('right');
  expect(read[`${read.answer as string}Box`]).toEqual(boxOf(3, 'right'));
  const [head, row] = exportText('csv', [one!]).trimEnd().split('\n');
  expect(head!.split(',')).toEqual(Object.keys(read));
  expect(row!.split(',')).toEqual(
    Object.values(read).map((value) => (Array.isArray(value) ? value.join(' ') : String(value))),
  );
});

test('preferred pairs are those that most judges agree on; checks are none', () => {
  const first = photos[0]!.name;
  const judgements = judged((judge, name, methods) => {
    if (methods === 'better worse') return 'a';
    if (name === first) return methods === 'left right' ? 'b' : judge === 0 ? 'a' : 'tie';
    return name === photos[1]!.name ? (judge < 2 ? 'a' : 'b') : undefined;
  });
  const lines = exportText('pairs', judgements)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toEqual(
    [
      {
        photo: photos[0]!.path,
        id: `${first} 1:1`,
        aspect: '1:1',
        pairs: [{ chosen: boxOf(0, 'right'), rejected: boxOf(0, 'left') }],
      },
      {
        photo: photos[1]!.path,
        id: `${photos[1]!.name} 1:1`,
        aspect: '1:1',
        pairs: [{ chosen: boxOf(1, 'left'), rejected: boxOf(1, 'right') }],
      },
    ].sort((a, b) => lines.findIndex(({ id }) => id === a.id) - lines.findIndex(({ id }) => id === b.id)),
  );
});

test('choices are the crops that won and lost to none, with what they won against', async () => {
  const judgements = judged((_, name, methods) => {
    if (name === photos[0]!.name) return methods.endsWith('middle') ? 'b' : 'a';
    return name === photos[1]!.name ? 'b' : name === photos[2]!.name ? 'tie' : undefined;
  });
  const file = path.join(root, 'choices.jsonl');
  writeFileSync(file, exportText('choices', judgements));
  const choices = await readChoices(file);
  const of = (i: number) => choices.find((choice) => choice.path === photos[i]!.path);
  // left beats right, middle beats left and right.
  expect(of(0)).toMatchObject({
    box: boxOf(0, 'middle'),
    by: 'picked',
    origin: 'study',
    target: { aspect: { width: 1, height: 1 } },
  });
  expect(of(0)!.offered).toHaveLength(2);
  expect(of(1)).toMatchObject({ box: boxOf(1, 'right'), offered: [boxOf(1, 'left')] });
  expect(of(2)).toBeUndefined();
});

describe('training', () => {
  test('the preferred pairs become data, and two steps of DPO on the nano', async () => {
    const judgements = judged((judge) => (judge === 2 ? 'b' : 'a'));
    const file = path.join(root, 'pairs.jsonl');
    writeFileSync(file, exportText('pairs', judgements));
    const source = await readSource('own', file, { seed: 0 });
    expect([source.photos.length, source.missing, source.repairs]).toEqual([8, [], []]);
    expect(source.photos.every(({ target }) => target?.aspect?.width === 1)).toBe(true);

    await using cropper = await openCropper({ model: 'nano', gpu: 'cpu', threads: 1 });
    const data = path.join(root, 'data');
    const facts = await exportTaste({
      ...(await trainingUse({ model: 'nano' })),
      source,
      out: data,
      analyst: analystOf(cropper),
      candidates: 5,
      pairs: { count: 2, hardness: 'mixed' },
      kinds: ['proposal', 'decision'],
      heldOutShare: 0.25,
      samples: 2,
      seed: 1,
    });
    const dpo = JSON.parse(readFileSync(path.join(data, 'dpo.json'), 'utf8')) as unknown[];
    expect(dpo.length, JSON.stringify(facts)).toBeGreaterThanOrEqual(4);
    const trained = await trainAdapter({
      kind: 'dpo',
      folder: data,
      output: path.join(root, 'study.gguf'),
      gpu: 'cpu',
      threads: 1,
      settings: { nSteps: 2, batchSize: 2, learningRate: 3e-4, rank: 4, every: 2 },
    });
    expect(trained!.nSteps).toBe(2);
    expect(Number.isFinite(trained!.last.loss)).toBe(true);
  });
});
