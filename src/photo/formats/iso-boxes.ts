/** A box of an ISO base media file (ISO/IEC 14496-12). */
export interface IsoBox {
  readonly type: string;
  readonly whole: Buffer;
  readonly body: Buffer;
}

/** More boxes side by side than any photo has. */
const MAX_BOXES = 4096;

/** The boxes from an offset on, as far as they are whole. */
export function boxesOf(bytes: Buffer, from: number): IsoBox[] {
  const boxes: IsoBox[] = [];
  let at = from;
  while (at + 8 <= bytes.length && boxes.length < MAX_BOXES) {
    const size = bytes.readUInt32BE(at) || bytes.length - at;
    if (size < 8 || at + size > bytes.length) break; // sizes of 64 bits are for files that no crop comes to
    const whole = bytes.subarray(at, at + size);
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), whole, body: whole.subarray(8) });
    at += size;
  }
  return boxes;
}

export function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([u32(length), Buffer.from(type, 'latin1'), ...parts], length);
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
