import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GgufError } from '../errors.js';
import { isObject, readJsonObject, type JsonObject } from '../json-object.js';
import { TOKEN_TYPES, type PreTokenizer } from '../tokenizer.js';
import { bool, i32s, str, strings, u32, type GgufMetadata, type GgufValue } from '../values.js';
import type { CheckpointConfig } from './config.js';

/** Qwen's have 7 to 11 MB. */
const MAX_BYTES = 64 * 2 ** 20;

/** What the tokenizers of Qwen2 to Qwen3, and of Qwen3.5, split a text by first, as llama.cpp calls it (llama-vocab.cpp). */
const PATTERNS: Readonly<Record<PreTokenizer, string>> = {
  qwen2: String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  qwen35: String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
};

/**
 * The `tokenizer.*` metadata of a checkpoint: tokenizer.json, what its tokenizer_config.json says beside, and the chat
 * template wherever it lies.
 *
 * @throws GgufError `UNSUPPORTED` for another kind of tokenizer than Qwen's, `INVALID`, `MALFORMED`, `IO`
 */
export async function checkpointTokenizer(folder: string, { text, tokenIds }: CheckpointConfig): Promise<GgufMetadata> {
  const path = join(folder, 'tokenizer.json');
  const tokenizer = await readJsonObject(path, MAX_BYTES);
  const model = requireByteLevelBpe(path, tokenizer);
  const pre = preTokenizerOf(path, tokenizer);
  const { tokens, types, ids } = readTokens(path, tokenizer, model, text.nVocab);
  const settings = await optionalObject(join(folder, 'tokenizer_config.json'));
  const named = (key: string, otherwise?: number): number | undefined => {
    const token = settings[key];
    const content = isObject(token) ? token.content : token;
    return (typeof content === 'string' ? ids.get(content) : undefined) ?? otherwise;
  };
  const eos = named('eos_token', tokenIds.eos);
  if (eos === undefined)
    throw new GgufError('INVALID', `${folder}: no file names the token that ends a turn (eos_token)`);
  const template = await chatTemplate(folder, settings);
  return new Map<string, GgufValue>([
    ['tokenizer.ggml.model', str('gpt2')],
    ['tokenizer.ggml.pre', str(pre)],
    ['tokenizer.ggml.tokens', strings(tokens)],
    ['tokenizer.ggml.token_type', i32s(types)],
    ['tokenizer.ggml.merges', strings(readMerges(path, model))],
    ...idEntries({ eos, padding: named('pad_token'), bos: named('bos_token', tokenIds.bos) }),
    ['tokenizer.ggml.add_bos_token', bool(settings.add_bos_token === true)],
    ...(template === undefined ? [] : [['tokenizer.chat_template', str(template)] as const]),
  ]);
}

function idEntries(ids: Readonly<Record<string, number | undefined>>): [string, GgufValue][] {
  return Object.entries(ids).flatMap(([name, id]) =>
    id === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, u32(id)]],
  );
}

function requireByteLevelBpe(path: string, { model }: JsonObject): JsonObject {
  if (!isObject(model) || model.type !== 'BPE' || model.byte_fallback === true)
    throw new GgufError('UNSUPPORTED', `${path}: only byte-level BPE tokenizers are converted`);
  return model;
}

function preTokenizerOf(path: string, { pre_tokenizer: settings }: JsonObject): PreTokenizer {
  const text = JSON.stringify(settings ?? null);
  const names = Object.keys(PATTERNS) as PreTokenizer[];
  const found = names.find((name) => text.includes(`"Regex":${JSON.stringify(PATTERNS[name])}`));
  if (found) return found;
  throw new GgufError('UNSUPPORTED', `${path}: its pre_tokenizer splits texts otherwise than Qwen2 to Qwen3.5 do`);
}

interface Tokens {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  readonly ids: ReadonlyMap<string, number>;
}

function readTokens(path: string, { added_tokens: added }: JsonObject, { vocab }: JsonObject, nVocab: number): Tokens {
  const wrong = (what: string): never => {
    throw new GgufError('MALFORMED', `${path}: ${what}`);
  };
  if (!isObject(vocab) || !Array.isArray(added)) return wrong('it has no vocab or no added_tokens');
  const tokens = new Array<string | undefined>(nVocab).fill(undefined);
  const types = new Array<number>(nVocab).fill(TOKEN_TYPES.unused);
  const ids = new Map<string, number>();
  const put = (text: unknown, id: unknown, type: number): void => {
    if (typeof text !== 'string' || !Number.isSafeInteger(id) || (id as number) < 0)
      wrong('a token has no text or no id');
    if ((id as number) >= nVocab)
      throw new GgufError(
        'INVALID',
        `${path}: token ${String(id)} has no row among the vocab_size ${nVocab} of config.json`,
      );
    tokens[id as number] = text as string;
    types[id as number] = type;
    ids.set(text as string, id as number);
  };
  for (const [text, id] of Object.entries(vocab)) put(text, id, TOKEN_TYPES.normal);
  for (const entry of added as unknown[]) {
    const { content, id, special } = Object(entry) as JsonObject;
    // Some control tokens are not marked as special (llama.cpp's converter looks at them the same).
    const isControl = special === true || (typeof content === 'string' && /^<\|.*\|>$/s.test(content));
    put(content, id, isControl ? TOKEN_TYPES.control : TOKEN_TYPES.userDefined);
  }
  return { tokens: tokens.map((text, id) => text ?? `[PAD${id}]`), types, ids };
}

/** Pairs with a space between, as older files have them too. */
function readMerges(path: string, { merges }: JsonObject): string[] {
  const list: readonly unknown[] = Array.isArray(merges) ? merges : [];
  return list.map((merge) => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    if (
      Array.isArray(pair) &&
      pair.length === 2 &&
      pair.every((part) => typeof part === 'string' && !part.includes(' '))
    )
      return pair.join(' ');
    throw new GgufError('MALFORMED', `${path}: a merge is no pair of texts`);
  });
}

async function optionalObject(path: string): Promise<JsonObject> {
  return (await isThere(path)) ? readJsonObject(path, MAX_BYTES) : {};
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function chatTemplate(folder: string, settings: JsonObject): Promise<string | undefined> {
  if (typeof settings.chat_template === 'string') return settings.chat_template;
  const plain = join(folder, 'chat_template.jinja');
  if (await isThere(plain)) return readFile(plain, 'utf8');
  const { chat_template: template } = await optionalObject(join(folder, 'chat_template.json'));
  return typeof template === 'string' ? template : undefined;
}
