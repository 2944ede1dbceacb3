import { GGML_TYPES, bools, encodeTensor, f32, f32s, i32s, u32, type GgufValue } from '../../gguf/index.js';
import type { FileMutation } from './metadata-mutations.js';
import { ownKey, type RawGguf } from './raw-gguf.js';

const mixedTypes: FileMutation = (file, dice) => {
  // The kernels of a convolution can be of one type alone.
  for (const tensor of file.tensors.filter(({ name, shape }) => shape.length === 2 && !name.includes('conv1d'))) {
    const type = dice.pick(['F32', 'F16', 'BF16', 'Q8_0'] as const);
    const nElements = Number(tensor.shape.reduce((product, n) => product * n, 1n));
    const values = Float32Array.from({ length: nElements }, () => (dice.int(2001) - 1000) / 5000);
    tensor.typeId = GGML_TYPES[type].id;
    tensor.data = encodeTensor(type, values);
  }
};

/** Layers beyond those there are copies of layer 1. */
function addLayers(file: RawGguf, nLayer: number): void {
  const layer = file.tensors.filter(({ name }) => name.includes('blk.1.'));
  const has = (i: number): boolean => file.tensors.some(({ name }) => name.includes(`blk.${i}.`));
  for (let i = 2; i < nLayer; i++) {
    if (has(i)) continue;
    file.tensors.push(...layer.map((tensor) => ({ ...tensor, name: tensor.name.replace('blk.1.', `blk.${i}.`) })));
  }
}

function drop(names: RegExp): FileMutation {
  return (file) => {
    file.tensors = file.tensors.filter(({ name }) => !names.test(name));
  };
}

/** Changes that leave a sound text model, so that native code sees unusual ones. */
export const SOUND_TEXT_MUTATIONS: Readonly<Record<string, FileMutation>> = {
  mixedTypes,
  oneLayer: (file, dice) => {
    drop(/^blk\.[12]\./)(file, dice);
    replace(file, ownKey(file, 'block_count'), u32(1));
  },
  manyLayers: (file, dice) => {
    const nLayer = dice.pick([3, 7, 40, 200, 512]);
    addLayers(file, nLayer);
    replace(file, ownKey(file, 'block_count'), u32(nLayer));
    replace(file, ownKey(file, 'attention.recurrent_layers'), recurrent(file, nLayer));
  },
  /** A Qwen3.5's layers by an interval alone. */
  noListOfLayers: (file) => {
    const key = ownKey(file, 'attention.recurrent_layers');
    file.metadata = file.metadata.filter(([name]) => name !== key);
  },
  /** A block after the layers that guesses ahead, of which only a Qwen3.5 can have one. */
  guessesAhead: (file) => {
    const nLayer = Number(file.metadata.find(([key]) => key === ownKey(file, 'block_count'))?.[1].value);
    const norm = file.tensors.find(({ name }) => name === 'blk.1.attn_norm.weight');
    const embedding = file.tensors.find(({ name }) => name === 'token_embd.weight');
    if (!norm || !embedding || !(nLayer < 512)) return;
    const nEmbd = Number(embedding.shape[0]);
    const of = (name: string): string => `blk.${nLayer}.${name}.weight`;
    file.tensors.push(
      ...file.tensors
        .filter(({ name }) => name.startsWith('blk.1.'))
        .map((tensor) => ({ ...tensor, name: tensor.name.replace('blk.1.', `blk.${nLayer}.`) })),
      ...['nextn.enorm', 'nextn.hnorm'].map((name) => ({ ...norm, name: of(name) })),
      {
        name: of('nextn.eh_proj'),
        typeId: 0,
        shape: [BigInt(2 * nEmbd), BigInt(nEmbd)],
        data: new Uint8Array(8 * nEmbd * nEmbd),
      },
    );
    replace(file, ownKey(file, 'block_count'), u32(nLayer + 1));
    replace(file, ownKey(file, 'attention.recurrent_layers'), recurrent(file, nLayer + 1));
    file.metadata.push([ownKey(file, 'nextn_predict_layers'), u32(1)]);
  },
  /** How fast running states fade, and what of each token goes into them. */
  fading: (file, dice) => {
    for (const tensor of file.tensors.filter(
      ({ name, typeId }) => /\.ssm_(a|dt\.bias|conv1d\.weight)$/.test(name) && typeId === 0,
    )) {
      const values = Float32Array.from({ length: tensor.data.length / 4 }, () =>
        dice.pick([-30, -1, -1e-6, 0, 1e-6, 3]),
      );
      tensor.data = new Uint8Array(values.buffer);
    }
  },
  noBiases: drop(/attn_.\.bias$/),
  someBiases: drop(/attn_k\.bias$/),
  sections: (file, dice) => {
    const key = ownKey(file, 'rope.dimension_sections');
    const now = file.metadata.find(([name]) => name === key)?.[1];
    const half =
      now?.type === 'array'
        ? Array.from<number | bigint | string>(now.value).reduce<number>((sum, n) => sum + Number(n), 0)
        : 16;
    const sections = dice.pick([
      [half, 0, 0, 0],
      [0, half, 0, 0],
      [0, 0, half, 0],
      [0, 0, 0, half],
      [4, 4, 4, half - 12],
      [1, 0, half - 1, 0],
    ]);
    replace(file, ownKey(file, 'rope.dimension_sections'), i32s(sections));
  },
  smallHeads: (file, dice) => {
    // More heads of a smaller size; the key heads keep their width together.
    const [nHead, nHeadKv, half] = dice.pick([
      [4, 2, 8],
      [8, 4, 4],
    ] as const);
    replace(file, ownKey(file, 'attention.head_count'), u32(nHead));
    replace(file, ownKey(file, 'attention.head_count_kv'), u32(nHeadKv));
    replace(file, ownKey(file, 'rope.dimension_sections'), i32s([0, half / 2, half / 2, 0]));
    for (const part of ['key', 'value']) replace(file, ownKey(file, `attention.${part}_length`), u32(2 * half));
    for (const tensor of file.tensors.filter(({ name }) => /attn_[qk]_norm/.test(name))) {
      tensor.shape = [BigInt(2 * half)];
      tensor.data = tensor.data.subarray(0, 8 * half);
    }
  },
  untied: (file) => {
    const embedding = file.tensors.find(({ name }) => name === 'token_embd.weight');
    if (embedding) file.tensors.push({ ...embedding, name: 'output.weight' });
  },
  outputBias: ({ tensors }) => {
    const nVocab = tensors.find(({ name }) => name === 'token_embd.weight')?.shape[1] ?? 1n;
    tensors.push({
      name: 'output.bias',
      typeId: 0,
      shape: [nVocab],
      data: new Uint8Array(Math.min(2 ** 20, 4 * Number(nVocab))),
    });
  },
  positions: (file, dice) => {
    replace(file, ownKey(file, 'rope.freq_base'), f32(dice.pick([2, 100, 1e10])));
    replace(file, ownKey(file, 'context_length'), u32(dice.pick([256, 257, 2 ** 24])));
  },
  scaling: (file, dice) => {
    file.metadata.push([
      ownKey(file, 'rope.scaling.type'),
      { type: 'string', value: dice.pick(['none', 'linear', 'yarn']) },
    ]);
    file.metadata.push([ownKey(file, 'rope.scaling.factor'), f32(dice.pick([0.001, 0.5, 1, 4, 1000]))]);
    file.metadata.push([ownKey(file, 'rope.scaling.original_context_length'), u32(dice.pick([1, 4096]))]);
  },
  ids: (file, dice) => {
    for (const name of ['eos', 'bos', 'padding']) replace(file, `tokenizer.ggml.${name}_token_id`, u32(dice.int(270)));
  },
};

/** The same for a vision file. */
export const SOUND_VISION_MUTATIONS: Readonly<Record<string, FileMutation>> = {
  mixedTypes,
  oneLayer: (file, dice) => {
    drop(/^v\.blk\.[12]\.|^v\.deepstack\.1/)(file, dice);
    replace(file, 'clip.vision.block_count', u32(1));
    replace(file, 'clip.vision.n_wa_pattern', u32(dice.pick([0, 2])));
  },
  manyLayers: (file, dice) => {
    const nLayer = dice.pick([3, 7, 40, 128]);
    addLayers(file, nLayer);
    replace(file, 'clip.vision.block_count', u32(nLayer));
  },
  noBiases: drop(/ffn_.*bias$|attn_out.bias$/),
  noOptionalNorms: drop(/^v\.(post_ln|blk\.\d\.ln)/),
  noGate: drop(/ffn_gate/),
  noNormBiases: drop(/(ln[12]?|norm)\.bias$/),
  noMergerBiases: drop(/deepstack.*\.bias$/),
  noMergers: drop(/deepstack/),
  /** Learned positions of another grid. */
  grid: (file, dice) => {
    const positions = file.tensors.find(({ name }) => name === 'v.position_embd.weight');
    if (!positions) return;
    const side = dice.pick([2, 3, 8, 50]);
    const nEmbd = positions.shape[0]!;
    positions.shape = [nEmbd, BigInt(side * side)];
    positions.data = new Uint8Array(4 * side * side * Number(nEmbd)).fill(61);
    replace(file, 'clip.vision.image_size', u32(16 * side));
  },
  smallHeads: (file, dice) => {
    replace(file, 'clip.vision.attention.head_count', u32(dice.pick([1, 4, 8])));
  },
  preprocessing: (file, dice) => {
    replace(file, 'clip.vision.image_mean', f32s([dice.int(1000), -dice.int(1000), 0]));
    replace(
      file,
      'clip.vision.image_std',
      f32s(
        dice.pick([
          [1, 1000, 1],
          [0.002, 1, 1],
        ]),
      ),
    );
    replace(file, 'clip.vision.image_size', u32(dice.pick([28, 29, 560, 8192])));
  },
  windows: (file, dice) => {
    replace(file, 'clip.vision.n_wa_pattern', u32(dice.int(3)));
  },
  epsilon: (file, dice) => {
    replace(file, 'clip.vision.attention.layer_norm_epsilon', f32(dice.pick([1e-11, 1e-6, 0.09])));
  },
};

/** The layers that have what fades a state. */
function recurrent({ tensors }: RawGguf, nLayer: number): GgufValue {
  const names = new Set(tensors.map(({ name }) => name));
  return bools(Array.from({ length: nLayer }, (_, i) => names.has(`blk.${i}.ssm_a`)));
}

function replace(file: RawGguf, key: string, value: GgufValue): void {
  for (const entry of file.metadata) if (entry[0] === key) entry[1] = value;
}
