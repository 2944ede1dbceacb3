import { describe, expect, test } from 'vitest';
import { Cropper, openCropper, type CropResult } from '../../src/index.js';
import { Pace } from '../../src/cropper/pace.js';
import { plainEngine } from '../../src/engines/plain-engine.js';
import { usableCores } from '../../src/runtime/threads.js';
import { openVlm } from '../../src/vlm/open.js';
import { examplePhoto } from '../support/photos.js';

const photos = (['dogs', 'pagoda', 'mountains', 'dandelion'] as const).map(examplePhoto);
const many = (n: number): string[] => Array.from({ length: n }, (_, i) => photos[i % photos.length]!);
const cores = usableCores();

/** A pace by a clock of its own: photos take as long as it says with so many at once. */
function paceBy(msAPhoto: (jobs: number) => number): Pace {
  let ms = 0;
  const pace: Pace = new Pace({ most: 2 }, () => (ms += msAPhoto(pace.jobs)));
  return pace;
}

const gaining = (): Pace => paceBy((jobs) => 1000 / jobs);

async function cropsOf(cropper: Cropper, inputs: readonly string[]): Promise<string[]> {
  const all: string[] = [];
  for await (const { timingsMs: _, ...result } of cropper.cropAll(inputs)) all.push(JSON.stringify(result));
  return all;
}

describe('parallel: auto', () => {
  test('takes photos of a small model side by side, each answered to the byte as it is alone', async () => {
    const inputs = many(16); // the first six are one at a time
    await using one = await openCropper({ gpu: 'cpu' });
    const vlm = await openVlm({ gpu: 'cpu', parallel: 'auto' });
    await using auto = new Cropper(
      { engines: [vlm.engine], vlm, dispose: () => vlm.dispose() },
      {},
      new AbortController(),
      undefined,
      gaining(),
    );
    expect(vlm.contexts.most).toBe(cores);
    expect(await cropsOf(auto, inputs)).toEqual(await cropsOf(one, inputs));
    expect(await vlm.contexts.widen(1)).toBe(Math.min(2, cores));
    expect(auto.counters().nDecodeCalls).toBe(one.counters().nDecodeCalls);
  });

  test('is one at a time for a model that was told its threads', async () => {
    const vlm = await openVlm({ gpu: 'cpu', threads: 1, parallel: 'auto' });
    expect(vlm.contexts.most).toBe(1);
    await vlm.dispose();
  });

  test('is one at a time where memory does not suffice for another context', async () => {
    const free = await openVlm({ gpu: 'cpu', parallel: 'auto', memoryBytes: 8e9 });
    const needed = Object.values(free.plan!.prediction.host as object as Record<string, number>);
    const memoryBytes = 256 * 2 ** 20 + needed.reduce((sum, bytes) => sum + bytes) + 1e6;
    await free.dispose();
    const tight = await openVlm({ gpu: 'cpu', parallel: 'auto', memoryBytes });
    expect(tight.plan!.givenUp).toEqual([]);
    expect(tight.contexts.most).toBe(1);
    await tight.dispose();
  });

  test('goes back to one photo at a time where two do not gain', async () => {
    const pace = paceBy((jobs) => 1000 * jobs);
    await using cropper = new Cropper(
      { engines: [plainEngine('full')], dispose: () => Promise.resolve() },
      {},
      new AbortController(),
      undefined,
      pace,
    );
    await cropsOf(cropper, many(40));
    expect(pace.jobs).toBe(1);
  });

  test.each(['rules', 'saliency', 'centre'] as const)('changes nothing about what %s gives', async (engine) => {
    const pace = gaining();
    await using auto = new Cropper(
      { engines: [plainEngine(engine)], dispose: () => Promise.resolve() },
      {},
      new AbortController(),
      undefined,
      pace,
    );
    await using one = await openCropper({ engine });
    const [first] = await cropsOf(one, many(1));
    const results = await cropsOf(auto, Array<string>(40).fill(photos[0]!));
    expect(new Set(results)).toEqual(new Set([first]));
    expect(pace.jobs).toBe(2);
  });

  test('a run that is given up leaves nothing behind', async () => {
    const vlm = await openVlm({ gpu: 'cpu', parallel: 'auto' });
    await using auto = new Cropper(
      { engines: [vlm.engine], vlm, dispose: () => vlm.dispose() },
      {},
      new AbortController(),
      undefined,
      gaining(),
    );
    let nCrops = 0;
    for await (const _ of auto.cropAll(many(20))) if (++nCrops === 9) break;
    await using one = await openCropper({ gpu: 'cpu' });
    expect(await cropsOf(auto, many(2))).toEqual(await cropsOf(one, many(2)));
  });

  test('a cropper that is disposed while it takes several at once rejects with DISPOSED', async () => {
    const vlm = await openVlm({ gpu: 'cpu', parallel: 'auto' });
    const auto = new Cropper(
      { engines: [vlm.engine], vlm, dispose: () => vlm.dispose() },
      {},
      new AbortController(),
      undefined,
      gaining(),
    );
    let disposed: Promise<void> | undefined;
    const results: CropResult[] = [];
    const run = (async () => {
      for await (const result of auto.cropAll(many(20))) if (results.push(result) === 8) disposed = auto.dispose();
    })();
    await expect(run).rejects.toMatchObject({ code: 'DISPOSED' });
    await disposed;
  });
});

test('parallel is a number or auto', async () => {
  for (const parallel of ['many', 0, 1.5, null]) {
    await expect(openCropper({ engine: 'full', parallel: parallel as never })).rejects.toMatchObject({ code: 'USAGE' });
  }
});
