import { GGML_TYPES, encodeTensor, f32, f32s, i32s, u32, type GgufValue } from '../../gguf/index.js';
import type { FileMutation } from './metadata-mutations.js';
import type { RawGguf } from './raw-gguf.js';

const mixedTypes: FileMutation = (file, dice) => {
  for (const tensor of file.tensors.filter(({ shape }) => shape.length === 2)) {
    const type = dice.pick(['F32', 'F16', 'BF16', 'Q8_0'] as const);
    const nElements = Number(tensor.shape.reduce((product, n) => product * n, 1n));
    const values = Float32Array.from({ length: nElements }, () => (dice.int(2001) - 1000) / 5000);
    tensor.typeId = GGML_TYPES[type].id;
    tensor.data = encodeTensor(type, values);
  }
};

/** Layers 2 and up are copies of layer 1. */
function addLayers(file: RawGguf, nLayer: number): void {
  const layer = file.tensors.filter(({ name }) => name.includes('blk.1.'));
  for (let i = 2; i < nLayer; i++) {
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
    drop(/^blk\.1\./)(file, dice);
    replace(file, 'qwen2vl.block_count', u32(1));
  },
  manyLayers: (file, dice) => {
    const nLayer = dice.pick([3, 7, 40, 200, 512]);
    addLayers(file, nLayer);
    replace(file, 'qwen2vl.block_count', u32(nLayer));
  },
  noBiases: drop(/bias$/),
  someBiases: drop(/attn_k\.bias$/),
  sections: (file, dice) => {
    const sections = dice.pick([
      [16, 0, 0, 0],
      [0, 16, 0, 0],
      [0, 0, 16, 0],
      [0, 0, 0, 16],
      [4, 4, 4, 4],
      [1, 0, 15, 0],
    ]);
    replace(file, 'qwen2vl.rope.dimension_sections', i32s(sections));
  },
  smallHeads: (file, dice) => {
    // More heads of a smaller size; the key heads keep their width together.
    const [nHead, nHeadKv, half] = dice.pick([
      [4, 2, 8],
      [8, 4, 4],
    ] as const);
    replace(file, 'qwen2vl.attention.head_count', u32(nHead));
    replace(file, 'qwen2vl.attention.head_count_kv', u32(nHeadKv));
    replace(file, 'qwen2vl.rope.dimension_sections', i32s([0, half / 2, half / 2, 0]));
  },
  untied: (file) => {
    const embedding = file.tensors.find(({ name }) => name === 'token_embd.weight');
    if (embedding) file.tensors.push({ ...embedding, name: 'output.weight' });
  },
  outputBias: ({ tensors }) => {
    const nVocab = tensors.find(({ name }) => name === 'token_embd.weight')?.shape[1] ?? 1n;
    tensors.push({ name: 'output.bias', typeId: 0, shape: [nVocab], data: new Uint8Array(4 * Number(nVocab)) });
  },
  positions: (file, dice) => {
    replace(file, 'qwen2vl.rope.freq_base', f32(dice.pick([2, 100, 1e10])));
    replace(file, 'qwen2vl.context_length', u32(dice.pick([256, 257, 2 ** 24])));
  },
  scaling: (file, dice) => {
    file.metadata.push(['qwen2vl.rope.scaling.type', { type: 'string', value: dice.pick(['none', 'linear', 'yarn']) }]);
    file.metadata.push(['qwen2vl.rope.scaling.factor', f32(dice.pick([0.001, 0.5, 1, 4, 1000]))]);
    file.metadata.push(['qwen2vl.rope.scaling.original_context_length', u32(dice.pick([1, 4096]))]);
  },
  ids: (file, dice) => {
    for (const name of ['eos', 'bos', 'padding']) replace(file, `tokenizer.ggml.${name}_token_id`, u32(dice.int(270)));
  },
};

/** The same for a vision file. */
export const SOUND_VISION_MUTATIONS: Readonly<Record<string, FileMutation>> = {
  mixedTypes,
  oneLayer: (file, dice) => {
    drop(/^v\.blk\.1\./)(file, dice);
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

function replace(file: RawGguf, key: string, value: GgufValue): void {
  for (const entry of file.metadata) if (entry[0] === key) entry[1] = value;
}
