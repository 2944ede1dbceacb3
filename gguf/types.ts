/** Metadata value types with their numbers on disk (llama.cpp's ggml/include/gguf.h). */
export const GGUF_VALUE_TYPES = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

export type GgufValueType = keyof typeof GGUF_VALUE_TYPES;

/** Value types held in a JS number. */
export type GgufNumberType = 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64';
/** Value types held in a JS bigint. */
export type GgufBigintType = 'uint64' | 'int64';

/** Bytes of one value on disk; strings and arrays have no fixed size. */
export const GGUF_SCALAR_BYTES: Readonly<Record<Exclude<GgufValueType, 'string' | 'array'>, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  uint64: 8,
  int64: 8,
  float64: 8,
};

export interface GgmlTypeInfo {
  /** Number on disk (`enum ggml_type`). */
  readonly id: number;
  /** Values in one block; a tensor's first dimension must be a multiple of it. */
  readonly blockSize: number;
  readonly bytesPerBlock: number;
}

/**
 * Every tensor type of llama.cpp: ids from ggml/include/ggml.h, block sizes from the structs of
 * ggml/src/ggml-common.h. Ids 4, 5, 31-33 and 36-38 are types llama.cpp has removed.
 */
export const GGML_TYPES = {
  F32: { id: 0, blockSize: 1, bytesPerBlock: 4 },
  F16: { id: 1, blockSize: 1, bytesPerBlock: 2 },
  Q4_0: { id: 2, blockSize: 32, bytesPerBlock: 18 },
  Q4_1: { id: 3, blockSize: 32, bytesPerBlock: 20 },
  Q5_0: { id: 6, blockSize: 32, bytesPerBlock: 22 },
  Q5_1: { id: 7, blockSize: 32, bytesPerBlock: 24 },
  Q8_0: { id: 8, blockSize: 32, bytesPerBlock: 34 },
  Q8_1: { id: 9, blockSize: 32, bytesPerBlock: 36 },
  Q2_K: { id: 10, blockSize: 256, bytesPerBlock: 84 },
  Q3_K: { id: 11, blockSize: 256, bytesPerBlock: 110 },
  Q4_K: { id: 12, blockSize: 256, bytesPerBlock: 144 },
  Q5_K: { id: 13, blockSize: 256, bytesPerBlock: 176 },
  Q6_K: { id: 14, blockSize: 256, bytesPerBlock: 210 },
  Q8_K: { id: 15, blockSize: 256, bytesPerBlock: 292 },
  IQ2_XXS: { id: 16, blockSize: 256, bytesPerBlock: 66 },
  IQ2_XS: { id: 17, blockSize: 256, bytesPerBlock: 74 },
  IQ3_XXS: { id: 18, blockSize: 256, bytesPerBlock: 98 },
  IQ1_S: { id: 19, blockSize: 256, bytesPerBlock: 50 },
  IQ4_NL: { id: 20, blockSize: 32, bytesPerBlock: 18 },
  IQ3_S: { id: 21, blockSize: 256, bytesPerBlock: 110 },
  IQ2_S: { id: 22, blockSize: 256, bytesPerBlock: 82 },
  IQ4_XS: { id: 23, blockSize: 256, bytesPerBlock: 136 },
  I8: { id: 24, blockSize: 1, bytesPerBlock: 1 },
  I16: { id: 25, blockSize: 1, bytesPerBlock: 2 },
  I32: { id: 26, blockSize: 1, bytesPerBlock: 4 },
  I64: { id: 27, blockSize: 1, bytesPerBlock: 8 },
  F64: { id: 28, blockSize: 1, bytesPerBlock: 8 },
  IQ1_M: { id: 29, blockSize: 256, bytesPerBlock: 56 },
  BF16: { id: 30, blockSize: 1, bytesPerBlock: 2 },
  TQ1_0: { id: 34, blockSize: 256, bytesPerBlock: 54 },
  TQ2_0: { id: 35, blockSize: 256, bytesPerBlock: 66 },
  MXFP4: { id: 39, blockSize: 32, bytesPerBlock: 17 },
  NVFP4: { id: 40, blockSize: 64, bytesPerBlock: 36 },
  Q1_0: { id: 41, blockSize: 128, bytesPerBlock: 18 },
  Q2_0: { id: 42, blockSize: 64, bytesPerBlock: 18 },
} as const satisfies Readonly<Record<string, GgmlTypeInfo>>;

export type GgmlType = keyof typeof GGML_TYPES;

const TYPE_BY_ID: ReadonlyMap<number, GgmlType> = new Map(
  (Object.keys(GGML_TYPES) as GgmlType[]).map((name) => [GGML_TYPES[name].id, name]),
);

/** The type of an id on disk; undefined for ids llama.cpp removed or never had. */
export function ggmlTypeOfId(id: number): GgmlType | undefined {
  return TYPE_BY_ID.get(id);
}

/** Number of values of a tensor. `shape` is ggml's `ne`: innermost dimension first. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Bytes of a tensor without padding, or undefined where its rows are no whole number of blocks. */
export function tensorBytes(type: GgmlType, shape: readonly number[]): number | undefined {
  const { blockSize, bytesPerBlock } = GGML_TYPES[type];
  if ((shape[0] ?? 1) % blockSize !== 0) return undefined;
  return (countElements(shape) / blockSize) * bytesPerBlock;
}

/** The next multiple of `alignment` at or after `offset`, both in bytes. */
export function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
