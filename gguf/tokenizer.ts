import { GgufError } from './errors.js';
import { bool, i32s, str, strings, u32, type GgufMetadata } from './values.js';

/** llama.cpp's `llama_token_type` (include/llama.h). */
export const TOKEN_TYPES = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** The control tokens of Qwen2.5-VL, in the order of its vocabulary. */
export const QWEN_CONTROL_TOKENS = [
  '<|endoftext|>',
  '<|im_start|>',
  '<|im_end|>',
  '<|object_ref_start|>',
  '<|object_ref_end|>',
  '<|box_start|>',
  '<|box_end|>',
  '<|quad_start|>',
  '<|quad_end|>',
  '<|vision_start|>',
  '<|vision_end|>',
  '<|vision_pad|>',
  '<|image_pad|>',
  '<|video_pad|>',
] as const;

/** ChatML without tools; an image in a message is written by the caller as vision_start, marker, vision_end. */
export const CHATML_TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

export interface TokenizerOptions {
  /**
   * The integers 10..maxInteger become one token each, matched longest first before any BPE, so that a coordinate is
   * one token. Default 0: digits are spelled one by one, as in the real Qwen.
   */
  readonly maxInteger?: number;
  /** Further texts that become one token each, matched before any BPE. */
  readonly words?: readonly string[];
  /** Unused tokens `[PAD<id>]` are appended up to this size. Default: none. */
  readonly vocabSize?: number;
}

export interface Vocabulary {
  readonly tokens: readonly string[];
  /** One of `TOKEN_TYPES` for each token. */
  readonly types: readonly number[];
}

/** GPT-2's map of the 256 bytes to printable characters, in the order of its vocabulary (openai/gpt-2, encoder.py). */
export function byteLevelAlphabet(): string[] {
  const printable: number[] = [];
  for (const [first, last] of [
    [0x21, 0x7e],
    [0xa1, 0xac],
    [0xae, 0xff],
  ] as const) {
    for (let byte = first; byte <= last; byte++) printable.push(byte);
  }
  const others = 256 - printable.length;
  return [...printable, ...Array.from({ length: others }, (_, i) => 256 + i)].map((code) => String.fromCodePoint(code));
}

/**
 * A byte-level vocabulary without merges: 256 byte tokens, Qwen's control tokens, integers, words, padding, in this
 * order.
 *
 * @throws GgufError `WRITE` when a word is there twice or `vocabSize` is too small.
 */
export function buildVocabulary(options: TokenizerOptions = {}): Vocabulary {
  const { maxInteger = 0, words = [], vocabSize } = options;
  const integers = Array.from({ length: Math.max(0, maxInteger - 9) }, (_, i) => String(10 + i));
  const groups: readonly (readonly [readonly string[], number])[] = [
    [byteLevelAlphabet(), TOKEN_TYPES.normal],
    [QWEN_CONTROL_TOKENS, TOKEN_TYPES.control],
    [integers, TOKEN_TYPES.userDefined],
    [words, TOKEN_TYPES.userDefined],
  ];
  const tokens = groups.flatMap(([texts]) => texts);
  const types = groups.flatMap(([texts, type]) => texts.map(() => type));
  if (new Set(tokens).size !== tokens.length || tokens.includes('')) {
    throw new GgufError('WRITE', 'a token text is empty or there twice; words must be new texts');
  }
  if (vocabSize !== undefined && vocabSize < tokens.length) {
    throw new GgufError('WRITE', `vocabSize ${vocabSize} is less than the ${tokens.length} tokens asked for`);
  }
  for (let id = tokens.length; id < (vocabSize ?? 0); id++) {
    tokens.push(`[PAD${id}]`);
    types.push(TOKEN_TYPES.unused);
  }
  return { tokens, types };
}

/** How llama.cpp cuts a text into words before any BPE; that of Qwen3.5 leaves combining marks with their letters. */
export type PreTokenizer = 'qwen2' | 'qwen35';

/** The `tokenizer.*` metadata of a vocabulary, as llama.cpp's tokenizers of Qwen read it. */
export function tokenizerMetadata(vocabulary: Vocabulary, pre: PreTokenizer = 'qwen2'): GgufMetadata {
  const { tokens, types } = vocabulary;
  return new Map([
    ['tokenizer.ggml.model', str('gpt2')],
    ['tokenizer.ggml.pre', str(pre)],
    ['tokenizer.ggml.tokens', strings(tokens)],
    ['tokenizer.ggml.token_type', i32s(types)],
    ['tokenizer.ggml.merges', strings([])],
    ['tokenizer.ggml.bos_token_id', u32(tokens.indexOf('<|endoftext|>'))],
    ['tokenizer.ggml.eos_token_id', u32(tokens.indexOf('<|im_end|>'))],
    ['tokenizer.ggml.padding_token_id', u32(tokens.indexOf('<|endoftext|>'))],
    ['tokenizer.ggml.add_bos_token', bool(false)],
    ['tokenizer.chat_template', str(CHATML_TEMPLATE)],
  ]);
}
