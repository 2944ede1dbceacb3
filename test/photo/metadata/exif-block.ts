/** A field of an EXIF directory: `[tag, type, values]`; type 2 takes text, 3 SHORTs, 4 LONGs, 7 bytes. */
export type TestField = readonly [tag: number, type: 2 | 3 | 4 | 7, value: string | readonly number[] | Uint8Array];

export interface TestExif {
  readonly littleEndian?: boolean;
  readonly main: readonly TestField[];
  readonly exif?: readonly TestField[];
  /** Becomes the second directory, a JPEG thumbnail. */
  readonly thumbnail?: Uint8Array;
  /** Further fields of the second directory. */
  readonly second?: readonly TestField[];
}

/** An EXIF block from its TIFF header on, laid out directory by directory, the thumbnail last. */
export function exifBlock({ littleEndian = true, main, exif, thumbnail, second = [] }: TestExif): Buffer {
  const parts: Buffer[] = [];
  let end = 8;
  const put = (bytes: Buffer): number => {
    const at = end;
    const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
    parts.push(even);
    end += even.length;
    return at;
  };
  const u16 = (value: number): Buffer => order(Buffer.from([value >> 8, value & 0xff]));
  const u32 = (value: number): Buffer =>
    order(Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]));
  const order = (bytes: Buffer): Buffer => (littleEndian ? bytes.reverse() : bytes);
  const encoded = (type: number, value: TestField[2]): { bytes: Buffer; count: number } => {
    if (typeof value === 'string') return { bytes: Buffer.from(`${value}\0`, 'latin1'), count: value.length + 1 };
    if (value instanceof Uint8Array) return { bytes: Buffer.from(value), count: value.length };
    return { bytes: Buffer.concat(value.map(type === 3 ? u16 : u32)), count: value.length };
  };
  const directory = (fields: readonly TestField[], next: number): Buffer => {
    const entries = [...fields]
      .sort((a, b) => a[0] - b[0])
      .map(([tag, type, value]) => {
        const { bytes, count } = encoded(type, value);
        const inline = bytes.length <= 4 ? Buffer.concat([bytes, Buffer.alloc(4 - bytes.length)]) : u32(put(bytes));
        return Buffer.concat([u16(tag), u16(type), u32(count), inline]);
      });
    return Buffer.concat([u16(entries.length), ...entries, u32(next)]);
  };
  const exifAt = exif && put(directory(exif, 0));
  if (thumbnail) {
    const fields: TestField[] = [...second, [0x0103, 3, [6]], [0x0201, 4, [0]], [0x0202, 4, [thumbnail.length]]];
    const bytes = directory(fields, 0);
    const secondAt = put(bytes);
    const mainBytes = directory([...main, ...(exifAt ? [[0x8769, 4, [exifAt]] as TestField] : [])], secondAt);
    const mainAt = put(mainBytes);
    const thumbnailAt = end;
    const sorted = fields.map(([tag]) => tag).sort((a, b) => a - b);
    bytes.set(u32(thumbnailAt), 2 + 12 * sorted.indexOf(0x0201) + 8);
    return Buffer.concat([header(mainAt), ...parts, thumbnail]);
  }
  const mainAt = put(directory([...main, ...(exifAt ? [[0x8769, 4, [exifAt]] as TestField] : [])], 0));
  return Buffer.concat([header(mainAt), ...parts]);

  function header(firstAt: number): Buffer {
    return Buffer.concat([Buffer.from(littleEndian ? 'II' : 'MM'), u16(42), u32(firstAt)]);
  }
}
