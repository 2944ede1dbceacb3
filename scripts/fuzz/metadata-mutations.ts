import { TOKEN_TYPES, bool, f32, f32s, i32s, str, strings, u32, type GgufValue } from '../../gguf/index.js';
import type { Dice } from './dice.js';
import { ownKey, type RawGguf } from './raw-gguf.js';

export type FileMutation = (file: RawGguf, dice: Dice) => void;

const EDGE_NUMBERS = [
  0,
  1,
  2,
  3,
  4,
  7,
  8,
  16,
  63,
  65,
  127,
  129,
  255,
  256,
  511,
  1024,
  4096,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];
const EDGE_FLOATS = [0, -0, 1, -1, 1e-30, 1e30, NaN, Infinity, -Infinity, 0.5, 1e-6, 3.4e38];

/** Keys llama.cpp reads that no file of the families has; OWN stands for the text model's architecture. */
const FOREIGN_KEYS: readonly (readonly [string, (dice: Dice) => GgufValue])[] = [
  ...[
    'OWN.expert_count',
    'OWN.expert_used_count',
    'OWN.expert_group_count',
    'OWN.nextn_predict_layers',
    'OWN.attention.key_length',
    'OWN.attention.value_length',
    'OWN.attention.sliding_window',
    'OWN.rope.dimension_count',
    'OWN.rope.scaling.original_context_length',
    'OWN.embedding_length_out',
    'OWN.pooling_type',
    'OWN.vocab_size',
    'OWN.n_deepstack_layers',
    'general.alignment',
    'general.quantization_version',
    'tokenizer.ggml.token_type_count',
    'tokenizer.ggml.eot_token_id',
    'tokenizer.ggml.unknown_token_id',
    'clip.vision.spatial_merge_size',
    'clip.vision.attention.head_count_kv',
    'clip.vision.attention.head_dim',
    'clip.vision.window_size',
    'clip.minicpmv_query_num',
    'clip.vision.projector.scale_factor',
  ].map((key) => [key, (dice: Dice) => u32(dice.pick(EDGE_NUMBERS))] as const),
  ...[
    'OWN.rope.scaling.factor',
    'OWN.rope.scale_linear',
    'OWN.rope.scaling.attn_factor',
    'OWN.rope.scaling.alpha',
    'OWN.attention.clamp_kqv',
    'OWN.attention.max_alibi_bias',
    'OWN.logit_scale',
  ].map((key) => [key, (dice: Dice) => f32(dice.pick(EDGE_FLOATS))] as const),
  ...['OWN.attention.causal', 'clip.use_gelu', 'clip.has_audio_encoder', 'clip.has_gen_audio_encoder'].map(
    (key) => [key, (dice: Dice) => bool(dice.chance(0.5))] as const,
  ),
  ['OWN.rope.scaling.type', (dice) => str(dice.pick(['none', 'linear', 'yarn', 'longrope', 'x', '']))],
  ['tokenizer.ggml.scores', (dice) => f32s(new Float32Array(dice.pick([0, 270, 1000])))],
  ['OWN.classifier.output_labels', () => strings(['a', 'b'])],
  ['clip.vision.feature_layer', (dice) => i32s([dice.pick([0, 1, -1, 100])])],
  ['clip.vision.image_grid_pinpoints', (dice) => i32s(new Int32Array(dice.pick([2, 3])))],
  ['clip.vision.wa_layer_indexes', (dice) => i32s([dice.pick([0, 99])])],
  ['general.name', (dice) => str(dice.pick(['', 'phi-3', 'x'.repeat(100_000)]))],
];

function anyValue(dice: Dice): GgufValue {
  return dice.pick<() => GgufValue>([
    () => u32(dice.pick(EDGE_NUMBERS)),
    () => ({ type: 'int32', value: dice.pick([-1, 0, 2, -(2 ** 31)]) }),
    () => ({ type: 'uint64', value: dice.pick([0n, 2n, 2n ** 64n - 1n]) }),
    () => ({ type: 'uint8', value: 2 }),
    () => f32(dice.pick(EDGE_FLOATS)),
    () => bool(dice.chance(0.5)),
    () => str(dice.pick(['', 'qwen2vl', 'clip', '\0', 'ü'])),
    () => i32s([]),
    () => i32s([4, 6, 6, 0]),
    () => f32s([1, NaN, 0]),
    () => strings(['a', 'a']),
    () => ({ type: 'array', itemType: 'bool', value: Uint8Array.of(1, 1, 1, 1) }),
  ])();
}

/** A value of the same type and shape. */
function nearValue(entry: GgufValue, dice: Dice): GgufValue {
  switch (entry.type) {
    case 'uint32':
      return u32(
        dice.pick([
          ...EDGE_NUMBERS,
          (entry.value + 1) % 2 ** 32,
          Math.max(0, entry.value - 1),
          (entry.value * 2) % 2 ** 32,
          entry.value >>> 1,
        ]),
      );
    case 'float32':
      return f32(dice.pick([...EDGE_FLOATS, entry.value * 10, -entry.value]));
    case 'bool':
      return bool(!entry.value);
    case 'string':
      return str(
        dice.pick(['', 'gpt2', 'llama', 'qwen2', 'default', 'no_vocab', entry.value.slice(1), `${entry.value}x`]),
      );
    case 'array':
      if (entry.itemType === 'int32') return i32s(mutateNumbers(entry.value, dice, [0, 1, -1, 2, 3, 99]));
      if (entry.itemType === 'float32') return f32s(mutateNumbers(entry.value, dice, EDGE_FLOATS));
      return anyValue(dice);
    default:
      return anyValue(dice);
  }
}

function mutateNumbers(values: ArrayLike<number>, dice: Dice, edges: readonly number[]): number[] {
  const copy = Array.from(values);
  if (copy.length === 0 || dice.chance(0.3)) return dice.chance(0.5) ? copy.slice(1) : [...copy, dice.pick(edges)];
  copy[dice.int(copy.length)] = dice.pick(edges);
  return copy;
}

export const METADATA_MUTATIONS: Readonly<Record<string, FileMutation>> = {
  changeValue: ({ metadata }, dice) => {
    const entry = dice.pick(metadata);
    entry[1] = nearValue(entry[1], dice);
  },
  changeValueType: ({ metadata }, dice) => {
    dice.pick(metadata)[1] = anyValue(dice);
  },
  removeKey: ({ metadata }, dice) => {
    metadata.splice(dice.int(metadata.length), 1);
  },
  renameKey: ({ metadata }, dice) => {
    const entry = dice.pick(metadata);
    entry[0] = dice.pick([`${entry[0]}x`, entry[0].slice(1), '', 'x'.repeat(70_000), dice.pick(metadata)[0]]);
  },
  duplicateKey: ({ metadata }, dice) => {
    metadata.push(dice.pick(metadata));
  },
  addForeignKey: (file, dice) => {
    const [key, make] = dice.pick(FOREIGN_KEYS);
    file.metadata.push([key.startsWith('OWN.') ? ownKey(file, key.slice(4)) : key, make(dice)]);
  },
  shuffleKeys: ({ metadata }, dice) => {
    metadata.unshift(...metadata.splice(dice.int(metadata.length), dice.int(metadata.length)));
  },
  wrongCounts: (file, dice) => {
    const extra = dice.pick([-1n, 1n, 2n ** 20n, 2n ** 32n, 2n ** 62n, -1000n]);
    if (dice.chance(0.5)) file.extraTensors = extra;
    else file.extraMetadata = extra;
  },
  wrongVersion: (file, dice) => {
    file.version = dice.pick([0, 1, 2, 4, 0x0300_0000, 2 ** 31]);
  },
};

/** Changes tokens and their types; does nothing to a file without a vocabulary. */
function editTokens(file: RawGguf, edit: (tokens: string[], types: number[]) => void): void {
  const entryOf = (key: string): [string, GgufValue] | undefined => file.metadata.find(([name]) => name === key);
  const [tokens, types] = [entryOf('tokenizer.ggml.tokens'), entryOf('tokenizer.ggml.token_type')];
  if (tokens?.[1].type !== 'array' || tokens[1].itemType !== 'string') return;
  if (types?.[1].type !== 'array' || types[1].itemType !== 'int32') return;
  const texts = [...tokens[1].value];
  const kinds = Array.from(types[1].value as Int32Array);
  if (texts.length === 0 || kinds.length === 0) return;
  edit(texts, kinds);
  tokens[1] = strings(texts);
  types[1] = i32s(kinds);
}

const ODD_TEXTS = [
  '',
  'a',
  '\0',
  'a\0b',
  '\ufffd',
  '[EMPTY_5]',
  '<0x0A>',
  ' ',
  '\n',
  '</s>',
  '<|im_end|>',
  'ü日🙂',
  '"',
  '0',
  'x'.repeat(100_000),
];

export const TOKEN_MUTATIONS: Readonly<Record<string, FileMutation>> = {
  changeToken: (file, dice) => {
    editTokens(file, (tokens) => (tokens[dice.int(tokens.length)] = dice.pick(ODD_TEXTS)));
  },
  duplicateToken: (file, dice) => {
    editTokens(file, (tokens) => (tokens[dice.int(tokens.length)] = dice.pick(tokens)));
  },
  swapTokens: (file, dice) => {
    editTokens(file, (tokens) => {
      const [a, b] = [dice.int(tokens.length), dice.int(tokens.length)];
      [tokens[a], tokens[b]] = [tokens[b]!, tokens[a]!];
    });
  },
  changeTokenType: (file, dice) => {
    editTokens(
      file,
      (_, types) => (types[dice.int(types.length)] = dice.pick([0, 1, 2, 3, 4, 5, 6, 7, -1, 2 ** 31 - 1])),
    );
  },
  retypeAllTokens: (file, dice) => {
    const type = dice.pick(Object.values(TOKEN_TYPES));
    editTokens(file, (_, types) => types.fill(type, 0, dice.int(types.length)));
  },
  dropTokens: (file, dice) => {
    editTokens(file, (tokens, types) => {
      const at = dice.int(tokens.length);
      tokens.splice(at, 1 + dice.int(3));
      if (dice.chance(0.5)) types.splice(at, 1);
    });
  },
  addTokens: (file, dice) => {
    editTokens(file, (tokens, types) => {
      for (let i = 0; i < 5; i++) {
        tokens.push(`new ${i}`);
        types.push(dice.pick([1, 3, 4, 5]));
      }
    });
  },
  addMerges: (file, dice) => {
    const merges = Array.from({ length: 1 + dice.int(20) }, () =>
      dice.pick(['a b', 'ab', ' ', 'a  b', '', '\0 x', 'Ġ a']),
    );
    file.metadata = file.metadata.map(([key, value]) => [
      key,
      key === 'tokenizer.ggml.merges' ? strings(merges) : value,
    ]);
  },
};
