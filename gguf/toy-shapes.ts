import { GgufError } from './errors.js';
import type { FamilyName } from './families/family.js';
import { cellPxOf, FAMILIES } from './families/index.js';
import { QWEN2VL_SHAPES } from './families/qwen2vl-shapes.js';
import { QWEN35_SHAPES } from './families/qwen35-shapes.js';
import { QWEN3VL_SHAPES } from './families/qwen3vl-shapes.js';
import { QWEN3VLMOE_SHAPES } from './families/qwen3vlmoe-shapes.js';
import { headSizeOf, nRotOf, type PairSizes } from './families/shapes.js';

/** Sizes to make toys from, by family. */
const TOY_SHAPES: Readonly<Record<FamilyName, Readonly<Partial<Record<ToyPreset, PairSizes>>>>> = {
  qwen2vl: QWEN2VL_SHAPES,
  qwen3vl: QWEN3VL_SHAPES,
  qwen3vlmoe: QWEN3VLMOE_SHAPES,
  qwen35: QWEN35_SHAPES,
};

export const TOY_PRESETS = ['tiny', 'small', '300m', '0.8b', '2b', '4b', '7b', '8b', '9b', '30b'] as const;
export type ToyPreset = (typeof TOY_PRESETS)[number];

/** @throws GgufError `WRITE` for a preset the family lacks */
export function toyShapeOf(family: FamilyName, preset: ToyPreset): PairSizes {
  const shapes = TOY_SHAPES[family];
  const shape = shapes[preset];
  if (shape) return shape;
  throw new GgufError(
    'WRITE',
    `no ${FAMILIES[family].title} has the size ${preset}; there are ${Object.keys(shapes).join(', ')}`,
  );
}

const TIME_SHARE = { qwen2vl: 1 / 4, qwen3vl: 3 / 8, qwen3vlmoe: 3 / 8 } as const;

/**
 * How a head's dimensions that turn are shared between time, height and width: a quarter, three eighths, three eighths,
 * as in Qwen2.5-VL (16, 24, 24 of 64), three eighths for time and the rest halved, as in Qwen3-VL (24, 20, 20 of 64), or
 * a third each, as in Qwen3.5 (11, 11, 10 of 32).
 */
export function ropeSections(nRot: number, family: FamilyName = 'qwen2vl'): readonly [number, number, number, number] {
  const half = nRot / 2;
  if (family === 'qwen35') {
    const third = Math.ceil(half / 3);
    const height = Math.ceil((half - third) / 2);
    return [third, height, half - third - height, 0];
  }
  const time = Math.max(1, Math.floor(half * TIME_SHARE[family]));
  const height = Math.floor((half - time) / 2);
  return [time, height, half - time - height, 0];
}

/** @throws GgufError `WRITE` for sizes no pair of the family can have. */
export function checkToyShape(name: FamilyName, { text, vision }: PairSizes): void {
  const family = FAMILIES[name];
  const require = (holds: boolean, rule: string): void => {
    if (!holds) throw new GgufError('WRITE', `no ${family.title} has these sizes: ${rule}`);
  };
  const { imageSizePx, nWaPattern, deepstackLayers = [], ...visionSizes } = vision;
  const { experts, linear, ...textSizes } = text;
  require(family.isRecurrent === (linear !== undefined), family.isRecurrent
    ? 'it has linear attention'
    : 'it has no linear attention');
  require(family.hasExperts === (experts !== undefined), family.hasExperts ? 'it has experts' : 'it has no experts');
  const sizes = [...Object.entries(textSizes), ...Object.entries(visionSizes), ...Object.entries(experts ?? {})];
  if (linear) sizes.push(...Object.entries(linear).filter(([key]) => key !== 'recurrentLayers'));
  for (const [name, size] of sizes.filter(([name]) => name !== 'tied')) {
    require(Number.isSafeInteger(size) && size > 0, `${name} must be a whole number above 0, not ${size}`);
  }
  require(text.headSize !== undefined ||
    text.nEmbd % text.nHead === 0, `text nEmbd ${text.nEmbd} must be a multiple of nHead ${text.nHead}`);
  require(text.nHead % text.nHeadKv === 0, `text nHead ${text.nHead} must be a multiple of nHeadKv ${text.nHeadKv}`);
  require(headSizeOf(text) % 2 === 0, 'the text head size must be even');
  require(text.nRot === undefined || family.isRecurrent, 'all of a head turns');
  require(nRotOf(text) % 2 === 0 && nRotOf(text) <= headSizeOf(text), 'nRot must be even and at most the head size');
  require(linear === undefined ||
    linear.nValueHeads % linear.nKeyHeads === 0, 'linear nValueHeads must be a multiple of nKeyHeads');
  require(linear === undefined ||
    (linear.fullInterval > 1 && linear.fullInterval <= text.nLayer), 'it must have layers of both kinds');
  require(vision.nEmbd % (vision.nHead * 4) ===
    0, `vision nEmbd ${vision.nEmbd} must be a multiple of 4 x nHead ${vision.nHead}`);
  require(experts === undefined || experts.used <= experts.count, 'a token goes through at most all experts');
  const cellPx = cellPxOf(family);
  require(imageSizePx > 0 && imageSizePx % cellPx === 0, `imageSizePx ${imageSizePx} must be a multiple of ${cellPx}`);
  if (name === 'qwen2vl') {
    require(headSizeOf(text) * text.nHead === text.nEmbd, 'the text head size must be nEmbd / nHead');
    require(deepstackLayers.length === 0, 'it has no deepstackLayers');
    require(vision.nFf !== vision.nEmbd, 'vision nFf must differ from vision nEmbd');
    require(Number.isSafeInteger(nWaPattern) &&
      nWaPattern >= 0 &&
      nWaPattern !== 1, `nWaPattern must be 0 or from 2, not ${nWaPattern}`);
    return;
  }
  require(nWaPattern === 0, `nWaPattern must be 0, not ${nWaPattern}`);
  require(!family.isRecurrent || deepstackLayers.length === 0, 'it has no deepstackLayers');
  require(deepstackLayers.every(
    (layer, i) => Number.isSafeInteger(layer) && layer < vision.nLayer && layer > (deepstackLayers[i - 1] ?? -1),
  ), 'deepstackLayers must be some of the vision layers, in order');
  require(deepstackLayers.length <
    text.nLayer, `deepstackLayers must be fewer than the text model's ${text.nLayer} layers`);
}
