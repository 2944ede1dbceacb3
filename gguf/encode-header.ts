import { GgufError } from './errors.js';
import { GGML_TYPES, GGUF_SCALAR_BYTES, GGUF_VALUE_TYPES, type GgmlType } from './types.js';
import type { GgufValue } from './values.js';

const encoder = new TextEncoder();

/** A tensor's place in the file, as its entry in the header says it. */
export interface TensorEntry {
  readonly name: string;
  readonly type: GgmlType;
  /** ggml's `ne`, innermost first. */
  readonly shape: readonly number[];
  /** Bytes from the start of the tensor data. */
  readonly offset: number;
}

function encodeU32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function encodeU64(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

function encodeString(text: string): Uint8Array {
  const utf8 = encoder.encode(text);
  const bytes = new Uint8Array(8 + utf8.length);
  bytes.set(encodeU64(utf8.length));
  bytes.set(utf8, 8);
  return bytes;
}

type ScalarType = keyof typeof GGUF_SCALAR_BYTES;

type SetScalar = (view: DataView, at: number, value: number | bigint | boolean) => void;

const SET_SCALAR: Readonly<Record<ScalarType, SetScalar>> = {
  uint8: (view, at, value) => view.setUint8(at, Number(value)),
  bool: (view, at, value) => view.setUint8(at, Number(value)),
  int8: (view, at, value) => view.setInt8(at, Number(value)),
  uint16: (view, at, value) => view.setUint16(at, Number(value), true),
  int16: (view, at, value) => view.setInt16(at, Number(value), true),
  uint32: (view, at, value) => view.setUint32(at, Number(value), true),
  int32: (view, at, value) => view.setInt32(at, Number(value), true),
  float32: (view, at, value) => view.setFloat32(at, Number(value), true),
  float64: (view, at, value) => view.setFloat64(at, Number(value), true),
  uint64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  int64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
};

/** Largest integer a type holds; a value outside would wrap on disk without a word. */
const INTEGER_RANGE: Partial<Record<ScalarType, readonly [number, number]>> = {
  uint8: [0, 0xff],
  int8: [-0x80, 0x7f],
  uint16: [0, 0xffff],
  int16: [-0x8000, 0x7fff],
  uint32: [0, 0xffff_ffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
};

function encodeScalar(key: string, type: ScalarType, value: number | bigint | boolean): Uint8Array {
  const range = INTEGER_RANGE[type];
  if (range && !(Number.isInteger(value) && Number(value) >= range[0] && Number(value) <= range[1])) {
    throw new GgufError('WRITE', `metadata ${key}: ${String(value)} is no ${type}`);
  }
  const bytes = new Uint8Array(GGUF_SCALAR_BYTES[type]);
  SET_SCALAR[type](new DataView(bytes.buffer), 0, value);
  return bytes;
}

/** A key with its value, in the pieces they are written in: an array of 152k strings is never held as one buffer. */
export function* encodeMetadata(key: string, entry: GgufValue): Generator<Uint8Array> {
  yield encodeString(key);
  yield encodeU32(GGUF_VALUE_TYPES[entry.type]);
  if (entry.type === 'string') {
    yield encodeString(entry.value);
  } else if (entry.type !== 'array') {
    yield encodeScalar(key, entry.type, entry.value);
  } else {
    yield encodeU32(GGUF_VALUE_TYPES[entry.itemType]);
    yield encodeU64(entry.value.length);
    if (entry.itemType === 'string') {
      for (const item of entry.value) yield encodeString(item);
    } else {
      const itemBytes = GGUF_SCALAR_BYTES[entry.itemType];
      const bytes = new Uint8Array(entry.value.length * itemBytes);
      const view = new DataView(bytes.buffer);
      const set = SET_SCALAR[entry.itemType];
      for (let i = 0; i < entry.value.length; i++) set(view, i * itemBytes, entry.value[i]!);
      yield bytes;
    }
  }
}

export function* encodeTensorEntry(tensor: TensorEntry): Generator<Uint8Array> {
  yield encodeString(tensor.name);
  yield encodeU32(tensor.shape.length);
  for (const n of tensor.shape) yield encodeU64(n);
  yield encodeU32(GGML_TYPES[tensor.type].id);
  yield encodeU64(tensor.offset);
}

/** Magic, version 3, counts. */
export function encodePreamble(nTensors: number, nMetadata: number): Uint8Array {
  const bytes = new Uint8Array(24);
  bytes.set(encoder.encode('GGUF'));
  bytes.set(encodeU32(3), 4);
  bytes.set(encodeU64(nTensors), 8);
  bytes.set(encodeU64(nMetadata), 16);
  return bytes;
}
