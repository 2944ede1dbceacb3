import type { GgufBigintType, GgufNumberType } from './types.js';

export type GgufNumberArray =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;
export type GgufBigintArray = BigUint64Array | BigInt64Array;

/** One metadata value with its type on disk. Numeric arrays are typed arrays; an array of bools holds bytes 0 and 1. */
export type GgufValue =
  | { readonly type: GgufNumberType; readonly value: number }
  | { readonly type: GgufBigintType; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly itemType: 'string'; readonly value: readonly string[] }
  | { readonly type: 'array'; readonly itemType: 'bool'; readonly value: Uint8Array }
  | { readonly type: 'array'; readonly itemType: GgufNumberType; readonly value: GgufNumberArray }
  | { readonly type: 'array'; readonly itemType: GgufBigintType; readonly value: GgufBigintArray };

/** Metadata by key, in the order of the file. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

export function u32(value: number): GgufValue {
  return { type: 'uint32', value };
}

export function f32(value: number): GgufValue {
  return { type: 'float32', value: Math.fround(value) };
}

export function bool(value: boolean): GgufValue {
  return { type: 'bool', value };
}

export function bools(value: readonly boolean[]): GgufValue {
  return { type: 'array', itemType: 'bool', value: Uint8Array.from(value, Number) };
}

export function str(value: string): GgufValue {
  return { type: 'string', value };
}

export function strings(value: readonly string[]): GgufValue {
  return { type: 'array', itemType: 'string', value };
}

export function i32s(value: ArrayLike<number>): GgufValue {
  return { type: 'array', itemType: 'int32', value: Int32Array.from(value) };
}

export function f32s(value: ArrayLike<number>): GgufValue {
  return { type: 'array', itemType: 'float32', value: Float32Array.from(value) };
}
