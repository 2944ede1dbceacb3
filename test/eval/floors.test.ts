import { describe, expect, test } from 'vitest';
import type { Dataset, DatasetOfKind } from '../../src/eval/datasets/types.js';
import { centreMethod, fullMethod } from '../../src/eval/methods/floors.js';
import { positionPriorMethod } from '../../src/eval/methods/position-prior.js';
import type { Box } from '../../src/base/geometry.js';
import { figures } from './figures.js';

describe('on a small data set worked out by hand', () => {
  const size = { width: 100, height: 200 };
  const base = { size, path: undefined };

  test('the full image and the centre of 0.9', async () => {
    const dataset: Dataset = {
      kind: 'boxes',
      name: 'by hand',
      folder: '.',
      missing: [],
      repairs: [],
      photos: [
        {
          ...base,
          id: 'a',
          split: undefined,
          boxes: [
            [0, 0, 100, 100],
            [5, 10, 95, 190],
          ],
        },
        { ...base, id: 'b', split: undefined, boxes: [[0, 0, 50, 100]] },
      ],
    };
    const [full, centre] = await figures(dataset, [fullMethod(), centreMethod()]);
    expect(full).toMatchObject({ bestIou: (0.81 + 0.25) / 2, recall: 0.5, bde: (0.05 + 0.25) / 2 });
    expect(full!.meanIou).toBeCloseTo(((0.5 + 0.81) / 2 + 0.25) / 2, 12);
    // With b: 45 x 90 of the 90 x 180 centre lies inside 50 x 100.
    const iouB = (45 * 90) / (90 * 180 + 50 * 100 - 45 * 90);
    expect(centre!.bestIou).toBeCloseTo((1 + iouB) / 2, 12);
  });

  test('the position prior learns from the train split alone and ranks the test split by it', async () => {
    const at = (i: number): Box => [i * 5, i * 10, 60 + i * 5, 120 + i * 10];
    const crops = (mos: number[]): { box: Box; mos: number }[] => mos.map((score, i) => ({ box: at(i), mos: score }));
    const dataset: DatasetOfKind<'ranking'> = {
      kind: 'ranking',
      name: 'by hand',
      folder: '.',
      missing: [],
      repairs: [],
      photos: [
        { ...base, id: 'a', split: 'train', crops: crops([1, 2, 3, 4]) },
        { ...base, id: 'b', split: 'train', crops: crops([3, 2, 3, 2]) },
        { ...base, id: 'c', split: 'test', crops: crops([1, 2, 4, 3]) },
      ],
    };
    const scores = await positionPriorMethod(dataset).rank!(
      { ...dataset.photos[2]!, size },
      crops([0, 0, 0, 0]).map(({ box }) => box),
      {},
    );
    expect(scores).toEqual([2, 2, 3, 3]);
    const unseen = await positionPriorMethod(dataset).rank!({ ...dataset.photos[2]!, size }, [[0, 0, 100, 200]], {});
    expect(unseen).toEqual([2.5]);
    const [prior] = await figures(dataset, [positionPriorMethod(dataset)], { split: 'test' });
    expect(prior!.srcc).toBeCloseTo(0.894427, 6);
  });
});
