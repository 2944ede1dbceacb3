import { TOKEN_TYPES, byteLevelAlphabet } from '../tokenizer.js';
import type { GgufMetadata } from '../values.js';
import { optionalU32, requireNumbers, requireString, requireStrings, requireTypes, requireU32 } from './metadata.js';
import { quote, type Check } from './problem.js';

/** Spelled as bytes, without a word, where the vocabulary lacks them or has them as plain text. */
const NEEDED_TOKENS = [
  '<|endoftext|>',
  '<|im_start|>',
  '<|im_end|>',
  '<|vision_start|>',
  '<|vision_end|>',
  '<|image_pad|>',
] as const;

const OPTIONAL_IDS = ['bos', 'eot', 'eom', 'unknown', 'seperator', 'padding', 'mask'] as const;

/** Twice the largest vocabulary in use. */
const MAX_TOKENS = 2 ** 19;

/** The tokenizer as llama-vocab.cpp reads it for Qwen2 and Qwen3.5. Returns the number of tokens. */
export function* checkTokenizer(metadata: GgufMetadata): Check<number | undefined> {
  yield* requireString(metadata, 'tokenizer.ggml.model', ['gpt2']);
  yield* requireString(metadata, 'tokenizer.ggml.pre', ['qwen2', 'qwen35']);
  yield* requireTypes(metadata, {
    'tokenizer.ggml.add_bos_token': 'bool',
    'tokenizer.ggml.add_eos_token': 'bool',
    'tokenizer.ggml.add_sep_token': 'bool',
    'tokenizer.ggml.add_space_prefix': 'bool',
    'tokenizer.ggml.remove_extra_whitespaces': 'bool',
    'tokenizer.ggml.token_type_count': 'uint32',
    'tokenizer.chat_template': 'string',
  });
  const tokens = yield* requireStrings(metadata, 'tokenizer.ggml.tokens');
  if (!tokens) return undefined;
  if (tokens.length === 0 || tokens.length > MAX_TOKENS) {
    const required = `must be 1 to ${MAX_TOKENS} tokens`;
    yield { where: 'tokenizer.ggml.tokens', found: `${tokens.length} items`, required };
    return undefined;
  }
  const ids = yield* checkTexts(tokens);
  const types = yield* requireNumbers(metadata, 'tokenizer.ggml.token_type', ['int32'], tokens.length);
  if (types) yield* checkTypes(tokens, types, ids);
  yield* checkMerges(metadata, ids);
  if (metadata.has('tokenizer.ggml.scores')) {
    yield* requireNumbers(metadata, 'tokenizer.ggml.scores', ['float32', 'int32'], tokens.length);
  }
  const range = { min: 0, max: tokens.length - 1 };
  // Left out, llama.cpp takes token 11 for the end.
  yield* requireU32(metadata, 'tokenizer.ggml.eos_token_id', range);
  for (const name of OPTIONAL_IDS) yield* optionalU32(metadata, `tokenizer.ggml.${name}_token_id`, range);
  return tokens.length;
}

/** Texts are what llama.cpp can keep apart: it aborts on two equal ones, and cuts a text at a NUL. */
function* checkTexts(tokens: readonly string[]): Check<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  for (const [id, text] of tokens.entries()) {
    const where = `token ${id}`;
    if (text === '') yield { where, found: 'empty', required: 'must have a text' };
    else if (text.includes('\0')) yield { where, found: quote(text), required: 'must not contain a NUL' };
    else if (text.includes('\ufffd')) yield { where, found: quote(text), required: 'must be valid UTF-8' };
    else if (ids.has(text)) {
      yield { where, found: quote(text), required: `must differ from token ${ids.get(text)!}` };
    }
    ids.set(text, id);
  }
  return ids;
}

function* checkTypes(tokens: readonly string[], types: readonly number[], ids: ReadonlyMap<string, number>): Check {
  for (let id = 0; id < tokens.length; id++) {
    if (types[id]! < TOKEN_TYPES.normal || types[id]! > TOKEN_TYPES.unused) {
      yield { where: `token ${id}`, found: `type ${types[id]!}`, required: 'must be of type 1 to 5' };
    }
  }
  for (const text of NEEDED_TOKENS) {
    const id = ids.get(text);
    const type = id === undefined ? undefined : types[id];
    if (type !== TOKEN_TYPES.control && type !== TOKEN_TYPES.userDefined) {
      const found = type === undefined ? 'missing' : `type ${type}`;
      yield { where: `token ${text}`, found, required: 'must be a control token (type 3)' };
    }
  }
  const missing = byteLevelAlphabet().filter((text) => {
    const id = ids.get(text);
    return id === undefined || types[id] !== TOKEN_TYPES.normal;
  });
  if (missing.length > 0) {
    yield {
      where: 'tokenizer.ggml.tokens',
      found: `no normal token for ${missing.length} of the 256 bytes, such as ${quote(missing[0])}`,
      required: 'must have all of them, or text is dropped',
    };
  }
}

function* checkMerges(metadata: GgufMetadata, ids: ReadonlyMap<string, number>): Check {
  const merges = yield* requireStrings(metadata, 'tokenizer.ggml.merges');
  for (const [rank, merge] of merges?.entries() ?? []) {
    const space = merge.indexOf(' ', 1);
    if (space === -1 || !ids.has(merge.slice(0, space) + merge.slice(space + 1))) {
      yield {
        where: `tokenizer.ggml.merges[${rank}]`,
        found: quote(merge),
        required: 'must be two texts with a space between that together are a token',
      };
    }
  }
}
