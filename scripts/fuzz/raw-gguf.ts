import { encodeMetadata } from '../../gguf/encode-header.js';
import { describeToyPair, GGML_TYPES, type GgufToWrite, type GgufValue, type ToyOptions } from '../../gguf/index.js';
import { alignUp } from '../../gguf/types.js';

export interface RawTensor {
  name: string;
  typeId: number;
  shape: readonly bigint[];
  /** Undefined: where it belongs. */
  offset?: bigint;
  data: Uint8Array;
}

/** A GGUF file as its parts, each of which may be wrong: unlike the library's writer, `serialize` checks nothing. */
export interface RawGguf {
  version: number;
  alignment: number;
  metadata: [string, GgufValue][];
  tensors: RawTensor[];
  /** Added to the counts the header claims. */
  extraTensors: bigint;
  extraMetadata: bigint;
}

export interface RawPair {
  readonly text: RawGguf;
  readonly mmproj: RawGguf;
}

/** A key of the text model's own, which has its architecture before it. */
export function ownKey({ metadata }: RawGguf, name: string): string {
  const architecture = metadata.find(([key]) => key === 'general.architecture')?.[1].value;
  return `${typeof architecture === 'string' ? architecture : 'qwen2vl'}.${name}`;
}

/** A toy pair taken apart. Data is shared between copies: change a copy of it. */
export function rawToyPair(options: ToyOptions): RawPair {
  const { text, mmproj } = describeToyPair(options);
  return { text: rawOf(text), mmproj: rawOf(mmproj) };
}

export function copyPair({ text, mmproj }: RawPair): RawPair {
  const copy = (file: RawGguf): RawGguf => ({
    ...file,
    metadata: file.metadata.map(([key, value]) => [key, value]),
    tensors: file.tensors.map((tensor) => ({ ...tensor })),
  });
  return { text: copy(text), mmproj: copy(mmproj) };
}

function rawOf({ metadata, tensors }: GgufToWrite): RawGguf {
  return {
    version: 3,
    alignment: 32,
    metadata: [...metadata],
    tensors: tensors.map(({ name, type, shape, data }) => ({
      name,
      typeId: GGML_TYPES[type].id,
      shape: shape.map(BigInt),
      data: typeof data === 'function' ? Buffer.concat([...(data() as Iterable<Uint8Array>)]) : (data as Uint8Array),
    })),
    extraTensors: 0n,
    extraMetadata: 0n,
  };
}

/** The file, and where its tensor data begins. */
export function serialize(file: RawGguf): { bytes: Buffer; dataStart: number } {
  const u64 = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    return bytes;
  };
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    return bytes;
  };
  const pieces: Uint8Array[] = [
    Buffer.from('GGUF'),
    u32(file.version),
    u64(BigInt(file.tensors.length) + file.extraTensors),
    u64(BigInt(file.metadata.length) + file.extraMetadata),
  ];
  for (const [key, value] of file.metadata) pieces.push(...encodeMetadata(key, value));
  let offset = 0;
  for (const tensor of file.tensors) {
    const name = Buffer.from(tensor.name);
    pieces.push(u64(BigInt(name.length)), name, u32(tensor.shape.length), ...tensor.shape.map(u64));
    pieces.push(u32(tensor.typeId), u64(tensor.offset ?? BigInt(offset)));
    offset = alignUp(offset + tensor.data.length, file.alignment);
  }
  const header = Buffer.concat(pieces);
  const dataStart = alignUp(header.length, file.alignment);
  const bytes = Buffer.alloc(dataStart + offset);
  header.copy(bytes);
  let at = dataStart;
  for (const { data } of file.tensors) {
    bytes.set(data, at);
    at = alignUp(at + data.length, file.alignment);
  }
  return { bytes, dataStart };
}
