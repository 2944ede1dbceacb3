import { GGML_TYPES } from '../../gguf/index.js';
import { seededWords } from '../../gguf/random.js';
import type { Dice } from './dice.js';
import type { FileMutation } from './metadata-mutations.js';
import type { RawGguf, RawTensor } from './raw-gguf.js';

const TYPE_IDS = [...Object.values(GGML_TYPES).map(({ id }) => id), 4, 31, 36, 43, 1000, 2 ** 32 - 1];

function withData(tensor: RawTensor, change: (data: Uint8Array) => void): void {
  const data = Uint8Array.from(tensor.data);
  change(data);
  tensor.data = data;
}

/**
 * Random bytes of the length a tensor of a type would have, where its rows allow that. Half the time without the bits
 * that make half floats large or NaN, whatever they are in that type.
 */
function retype(tensor: RawTensor, typeName: keyof typeof GGML_TYPES, dice: Dice): void {
  const { id, blockSize, bytesPerBlock } = GGML_TYPES[typeName];
  const nElements = Number(tensor.shape.reduce((product, n) => product * n, 1n));
  if (Number(tensor.shape[0] ?? 1n) % blockSize !== 0 || nElements > 2 ** 22) return;
  tensor.typeId = id;
  const mask = dice.pick([0xff, 0x37]);
  const next = seededWords(String(dice.int(2 ** 31)));
  tensor.data = Uint8Array.from({ length: (nElements / blockSize) * bytesPerBlock }, () => next() & mask);
}

export const TENSOR_MUTATIONS: Readonly<Record<string, FileMutation>> = {
  removeTensor: ({ tensors }, dice) => {
    tensors.splice(dice.int(tensors.length), 1);
  },
  renameTensor: ({ tensors }, dice) => {
    const tensor = dice.pick(tensors);
    const longest = 'n'.repeat(63);
    tensor.name = dice.pick([
      `${tensor.name}x`,
      tensor.name.replace('blk.0', 'blk.7'),
      '',
      longest,
      `${longest}n`,
      'a\0b',
    ]);
  },
  duplicateTensor: ({ tensors }, dice) => {
    tensors.push({ ...dice.pick(tensors) });
  },
  swapNames: ({ tensors }, dice) => {
    const [a, b] = [dice.pick(tensors), dice.pick(tensors)];
    [a.name, b.name] = [b.name, a.name];
  },
  swapData: ({ tensors }, dice) => {
    const [a, b] = [dice.pick(tensors), dice.pick(tensors)];
    [a.data, b.data] = [b.data, a.data];
  },
  reorderTensors: ({ tensors }, dice) => {
    tensors.unshift(...tensors.splice(dice.int(tensors.length), 3));
  },
  addTensor: ({ tensors }, dice) => {
    const name = dice.pick([
      'v.class_embd',
      'v.pre_ln.weight',
      'v.patch_embd.bias',
      'blk.0.attn_qkv.weight',
      'rope_freqs.weight',
      'output.bias',
      'blk.0.attn_q.scale',
      'v.blk.0.attn_qkv.weight',
      'v.deepstack.0.norm.weight',
      'v.deepstack.2.fc1.weight',
      'v.position_embd.weight',
      'v.blk.0.attn_q.weight',
      'mm.1.weight',
      'x',
    ]);
    tensors.push({ name, typeId: 0, shape: [64n], data: new Uint8Array(256).fill(63) });
  },
  swapType: ({ tensors }, dice) => {
    dice.pick(tensors).typeId = dice.pick(TYPE_IDS);
  },
  retypeTensor: ({ tensors }, dice) => {
    const names = Object.keys(GGML_TYPES) as (keyof typeof GGML_TYPES)[];
    retype(dice.pick(tensors), dice.pick(names), dice);
  },
  retypeMatrices: ({ tensors }, dice) => {
    const type = dice.pick(Object.keys(GGML_TYPES) as (keyof typeof GGML_TYPES)[]);
    for (const tensor of tensors.filter(({ shape }) => shape.length === 2)) retype(tensor, type, dice);
  },
  changeShape: ({ tensors }, dice) => {
    const tensor = dice.pick(tensors);
    const shape = [...tensor.shape];
    const at = dice.int(shape.length);
    shape[at] = dice.pick([
      0n,
      1n,
      shape[at]! * 2n,
      shape[at]! + 1n,
      shape[at]! / 2n,
      2n ** 31n,
      2n ** 62n,
      2n ** 64n - 1n,
    ]);
    tensor.shape = dice.pick([
      shape,
      [...shape].reverse(),
      [...tensor.shape, 1n],
      [...tensor.shape, 2n, 2n, 2n],
      shape.slice(1),
      [],
    ]);
  },
  reshapeWithin: ({ tensors }, dice) => {
    const tensor = dice.pick(tensors);
    tensor.shape = tensor.shape.map((n, i) => (i === 0 ? n * 2n : i === 1 ? n / 2n : n));
  },
  moveOffset: ({ tensors }, dice) => {
    dice.pick(tensors).offset = dice.pick([0n, 1n, 32n, 4096n, 2n ** 31n, 2n ** 40n, 2n ** 63n, 2n ** 64n - 1n]);
  },
  changeAlignment: (file, dice) => {
    file.alignment = dice.pick([1, 8, 16, 64, 4096]);
    if (dice.chance(0.7)) file.metadata.push(['general.alignment', { type: 'uint32', value: file.alignment }]);
  },
};

function anyTensor(file: RawGguf, dice: Dice): RawTensor | undefined {
  const full = file.tensors.filter(({ data }) => data.length > 8);
  return full.length === 0 ? undefined : dice.pick(full);
}

/** Float32 bit patterns; in other types they make other odd numbers. */
const ODD_WORDS = {
  zeros: 0x0000_0000,
  notNumbers: 0x7fc0_0000,
  infinities: 0x7f80_0000,
  huge: 0x7f00_0000,
  tiny: 0x0000_0001,
  ones: 0x3f80_0000,
} as const;

/** Fills a tensor, or one place in it. */
function fillWith(word: number): FileMutation {
  return (file, dice) => {
    const tensor = anyTensor(file, dice);
    if (!tensor) return;
    withData(tensor, (data) => {
      const view = new DataView(data.buffer);
      const from = dice.chance(0.5) ? 0 : dice.int(data.length - 4) & ~3;
      const to = dice.chance(0.5) ? data.length : from + 4;
      for (let at = from; at + 4 <= to; at += 4) view.setUint32(at, word, true);
    });
  };
}

/** Weights no training makes; the file stays sound. */
export const DATA_MUTATIONS: Readonly<Record<string, FileMutation>> = {
  ...Object.fromEntries(Object.entries(ODD_WORDS).map(([name, word]) => [name, fillWith(word)])),
  noise: (file, dice) => {
    const tensor = anyTensor(file, dice);
    if (!tensor) return;
    withData(tensor, (data) => {
      for (let i = 0; i < data.length; i++) data[i] = dice.int(256);
    });
  },
};
