import type { ByteSource } from './byte-source.js';
import { GgufError } from './errors.js';
import {
  GGUF_SCALAR_BYTES,
  GGUF_VALUE_TYPES,
  type GgufBigintType,
  type GgufNumberType,
  type GgufValueType,
} from './types.js';
import type { GgufBigintArray, GgufNumberArray, GgufValue } from './values.js';

const TYPE_BY_ID: ReadonlyMap<number, GgufValueType> = new Map(
  (Object.keys(GGUF_VALUE_TYPES) as GgufValueType[]).map((name) => [GGUF_VALUE_TYPES[name], name]),
);

/** A count or length from the file, as a number. */
export function takeCount(source: ByteSource, what: string): number {
  const value = source.u64();
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new GgufError('MALFORMED', `${what} is ${value.toString()}, larger than any file`);
  }
  return Number(value);
}

export async function readString(source: ByteSource, what: string): Promise<string> {
  await source.need(8);
  const length = takeCount(source, `the length of ${what}`);
  await source.need(length);
  return source.text(length);
}

/** The value that follows a key. @throws GgufError `MALFORMED` for a type or count no file can hold, `TRUNCATED`. */
export async function readValue(source: ByteSource, key: string): Promise<GgufValue> {
  const type = await readType(source, key);
  if (type === 'array') return readArray(source, key);
  if (type === 'string') return { type, value: await readString(source, key) };
  await source.need(GGUF_SCALAR_BYTES[type]);
  const bytes = source.bytes(GGUF_SCALAR_BYTES[type]);
  if (type === 'bool') return { type, value: bytes[0] !== 0 };
  if (type === 'uint64' || type === 'int64') return { type, value: bigintsOf(type, bytes)[0]! };
  return { type, value: numbersOf(type, bytes)[0]! };
}

async function readType(source: ByteSource, key: string): Promise<GgufValueType> {
  await source.need(4);
  const id = source.u32();
  const type = TYPE_BY_ID.get(id);
  if (!type) throw new GgufError('MALFORMED', `metadata ${key} has the unknown type ${id}`);
  return type;
}

async function readArray(source: ByteSource, key: string): Promise<GgufValue> {
  const itemType = await readType(source, key);
  if (itemType === 'array') throw new GgufError('MALFORMED', `metadata ${key} is an array of arrays`);
  await source.need(8);
  const count = takeCount(source, `the length of ${key}`);
  if (itemType === 'string') {
    const texts: string[] = [];
    for (let i = 0; i < count; i++) {
      if (!source.has(8)) await source.need(8);
      const length = takeCount(source, `the length of ${key}[${i}]`);
      if (!source.has(length)) await source.need(length);
      texts.push(source.text(length));
    }
    return { type: 'array', itemType, value: texts };
  }
  const nBytes = count * GGUF_SCALAR_BYTES[itemType];
  await source.need(nBytes);
  const bytes = source.bytes(nBytes);
  if (itemType === 'bool')
    return { type: 'array', itemType, value: Uint8Array.from(bytes, (byte) => Number(byte !== 0)) };
  if (itemType === 'uint64' || itemType === 'int64') {
    return { type: 'array', itemType, value: bigintsOf(itemType, bytes) };
  }
  return { type: 'array', itemType, value: numbersOf(itemType, bytes) };
}

const NUMBER_ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** A copy of the bytes as numbers: the source's buffer is reused and not aligned. */
function numbersOf(type: GgufNumberType, bytes: Uint8Array): GgufNumberArray {
  return new NUMBER_ARRAYS[type](Uint8Array.from(bytes).buffer);
}

function bigintsOf(type: GgufBigintType, bytes: Uint8Array): GgufBigintArray {
  const { buffer } = Uint8Array.from(bytes);
  return type === 'uint64' ? new BigUint64Array(buffer) : new BigInt64Array(buffer);
}
