import { GGML_TYPES, type GgmlTypeInfo } from '../../gguf/index.js';

/** llama_flash_attn_type */
export const FLASH_ATTENTION = { auto: -1, off: 0, on: 1 } as const;

/** ggml_type */
export const KV_TYPE = { f32: GGML_TYPES.F32.id, f16: GGML_TYPES.F16.id, q8_0: GGML_TYPES.Q8_0.id } as const;

/**
 * What happens to sequences before a call decodes anything, four numbers each, in order:
 * `[truncate, sequence, nTokens, nPos]`, `[copy, from, to, 0]`, `[drop, item id, 0, 0]`.
 */
export const COMMAND = { truncate: 0, copy: 1, drop: 2 } as const;

export const ITEM = { append: 0, score: 1, generate: 2 } as const;

/** A stop text, the end of generation or of the grammar, `maxTokens`. */
export const FINISHES = ['stop', 'end', 'length'] as const;

/** Sequences a context may have: LLAMA_MAX_SEQ. */
export const MAX_SEQUENCES = 256;

type Numbers = Readonly<Record<string, number>>;

/** What `NativeAddon.constants` tells: these numbers and others that TypeScript has of llama.cpp, as the addon was compiled with them. */
export interface NativeConstants {
  readonly commands: Numbers;
  readonly items: Numbers;
  /** How generation ends. */
  readonly finishes: Numbers;
  /** llama_flash_attn_type */
  readonly flashAttention: Numbers;
  /** llama_ftype */
  readonly fileTypes: Numbers;
  /** ggml_type */
  readonly tensorTypes: Readonly<Record<string, GgmlTypeInfo>>;
  /** llama_token_type */
  readonly tokenTypes: Numbers;
  /** gguf_type */
  readonly valueTypes: Numbers;
  /** What native code fails with: some of ERROR_CODES. */
  readonly errorCodes: readonly string[];
  /** Of one decode's rows of logits. */
  readonly maxOutputBytes: number;
  readonly maxSequences: number;
  readonly maxTensorNameBytes: number;
  readonly maxTensorDims: number;
  /** GGUF_DEFAULT_ALIGNMENT, bytes */
  readonly tensorAlignment: number;
}
