import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { coveredCells } from '../../src/attention/covered-cells.js';
import { CONDITIONS, summarise, type PhotoAttention } from '../../src/attention/photo-attention.js';
import { attentionCsv, attentionMarkdown, attentionTable, type AttentionResult } from '../../src/attention/tables.js';
import { analysisGroups, TOKEN_GROUPS, type TokenGroup } from '../../src/attention/token-groups.js';
import { openCropper, photoAttention, type Cropper } from '../../src/index.js';
import { examplePhoto } from '../support/photos.js';

const path = examplePhoto('dogs');
let cropper: Cropper;
let attention: PhotoAttention;
beforeAll(async () => {
  cropper = await openCropper({ gpu: 'cpu', threads: 1, parallel: 2 });
  attention = await photoAttention(cropper, path);
});
afterAll(() => cropper.dispose());

test('tokens of an analysis are names, coordinates or form, wherever the tokenizer cuts', () => {
  const line = '{"type":"rule_of_thirds","box":[1,20,300,44]}\n';
  const whole = [
    '{"type":"',
    'rule_of',
    '_thirds',
    '","box":[',
    '1',
    ',',
    '20',
    ',3',
    '00',
    ',44',
    ']}\n',
    '<|im_end|>',
  ];
  expect(whole.slice(0, -1).join('')).toBe(line);
  const n = 'names';
  const c = 'coordinates';
  const f = 'form';
  expect(analysisGroups(whole)).toEqual([f, n, n, f, c, f, c, c, c, c, f, f]);
  expect(analysisGroups(['{"type":"cen', 'ter","box":[4', ',5'])).toEqual([n, n, c]);
  // The full prompts' keys: the 2 of bbox_2d is no coordinate.
  const keys = ['{"', 'label', '": "', 'center', '", "', 'bbox_', '2', 'd', '": [', '1', ', ', '2', ']}\n'];
  expect(analysisGroups(keys)).toEqual([f, f, f, n, f, f, f, f, f, c, f, c, f]);
});

test('boxes cover their area, lines what they run through', () => {
  const grid = { width: 4, height: 3 };
  const size = { width: 400, height: 300 };
  const drawn = (elements: Parameters<typeof coveredCells>[0]): string =>
    coveredCells(elements, size, grid)
      .map((isCovered, i) => (isCovered ? '#' : '.') + (i % 4 === 3 ? '\n' : ''))
      .join('')
      .trim();
  expect(drawn([{ type: 'center', box: [100, 100, 300, 200] }])).toBe('....\n.##.\n....');
  expect(drawn([{ type: 'horizontal', line: [0, 250, 400, 250] }])).toBe('....\n....\n####');
  expect(
    drawn([
      {
        type: 'triangle',
        points: [
          [50, 250],
          [350, 250],
          [350, 50],
        ],
      },
    ]).at(-1),
  ).toBe('#');
  expect(
    drawn([
      {
        type: 'vanishing_point',
        lines: [
          [50, 10, 50, 290],
          [350, 10, 350, 90],
        ],
      },
    ]),
  ).toBe('#..#\n#...\n#...');
});

test('shares are sums, lift is against all tokens, normalised against the best of names and coordinates', () => {
  const groups: TokenGroup[] = ['prompts', 'names', 'coordinates', 'coordinates'];
  const means = Float32Array.of(0.5, 0.25, 0.15, 0.1);
  const { mean, byHead } = summarise({ nLayer: 1, nHead: 1, nKv: 4, nRows: 3, means }, groups);
  expect(mean.coordinates.share).toBeCloseTo(0.25, 6);
  expect(mean.coordinates.lift).toBeCloseTo(0.5, 6);
  expect(mean.coordinates.normalised).toBeCloseTo(0.5, 6);
  expect(mean.names.normalised).toBeCloseTo(1, 6);
  expect(mean.prompts.lift).toBeCloseTo(2, 6);
  expect(mean.answer).toEqual({ share: 0, lift: null, normalised: null });
  expect(byHead[0]![0]!.names.share).toBeCloseTo(0.25, 6);
});

describe('of a photo', () => {
  test('the shares of all groups sum to 1, for every layer and head, with and without enhancement', () => {
    for (const condition of CONDITIONS) {
      const { mean, byHead } = attention.conditions[condition];
      for (const groups of [mean, ...byHead.flat()]) {
        expect(TOKEN_GROUPS.reduce((sum, group) => sum + groups[group].share, 0)).toBeCloseTo(1, 3);
      }
    }
  });

  test('both images have their tokens, the same inside the elements as there are cells', () => {
    const { grid, inside, conditions, elements } = attention;
    const nInside = inside.filter(Boolean).length;
    expect(elements.length).toBeGreaterThan(0);
    expect(inside).toHaveLength(grid.width * grid.height);
    for (const condition of CONDITIONS) {
      const { nTokens, maps, mean } = conditions[condition];
      expect([nTokens.photoInside, nTokens.secondInside]).toEqual([nInside, nInside]);
      expect(nTokens.photoOutside).toBe(inside.length - nInside);
      expect(nTokens.names).toBeGreaterThanOrEqual(elements.length);
      expect(nTokens.coordinates).toBeGreaterThanOrEqual(4);
      maps.forEach((layers, image) => {
        const ofImage = layers.map((cells) => cells.reduce((sum, share) => sum + share, 0));
        const group = image === 0 ? 'photo' : 'second';
        const share = mean[`${group}Inside`].share + mean[`${group}Outside`].share;
        expect(ofImage.reduce((sum, each) => sum + each, 0) / layers.length).toBeCloseTo(share, 5);
      });
    }
  });

  test('only what was drawn makes the difference', () => {
    const { enhanced, plain } = attention.conditions;
    expect(enhanced.nTokens.names).toBe(plain.nTokens.names);
    expect(enhanced.nTokens.coordinates).toBe(plain.nTokens.coordinates);
    expect(enhanced.mean).not.toEqual(plain.mean);
  });

  test('tables name every group with both conditions, by layer and head', () => {
    const result: AttentionResult = {
      schemaVersion: 1,
      createdAt: '',
      model: { name: 'nano', sha256: 'a'.repeat(64), promptVersion: 'compact' },
      isTrained: false,
      nLayer: attention.conditions.plain.byHead.length,
      nHead: attention.conditions.plain.byHead[0]!.length,
      table: attentionTable([attention, attention]),
      photos: [{ path: 'a, "b".jpg', ...attention }],
    };
    const markdown = attentionMarkdown(result).split('\n');
    expect(markdown.filter((line) => line.startsWith('|'))).toHaveLength(2 + TOKEN_GROUPS.length);
    expect(markdown.find((line) => line.startsWith('| element names'))).toContain(
      attention.conditions.enhanced.mean.names.share.toFixed(3),
    );
    const csv = attentionCsv(result).trim().split('\n');
    expect(csv).toHaveLength(1 + 2 * TOKEN_GROUPS.length * (1 + result.nLayer * result.nHead));
    expect(csv[1]).toMatch(/^"a, ""b"".jpg",enhanced,mean,mean,names,\d+,0\.\d+,/);
  });
});
