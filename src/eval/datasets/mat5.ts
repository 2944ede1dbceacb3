import { inflateSync } from 'node:zlib';
import { FramewrightError, messageOf } from '../../base/errors.js';

/**
 * Reader of MATLAB level 5 MAT-files ("MAT-File Format", The MathWorks, R2023a): numbers, text, cell arrays and struct
 * arrays, plain or zlib-compressed, of either byte order. Arrays are column major, as in the file.
 */
export type MatValue =
  | { readonly kind: 'numbers'; readonly dims: readonly number[]; readonly data: readonly number[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'cells'; readonly dims: readonly number[]; readonly cells: readonly MatValue[] }
  | {
      readonly kind: 'structs';
      readonly dims: readonly number[];
      readonly fields: readonly string[];
      /** One record an element of the array, keyed by field. */
      readonly items: readonly Readonly<Record<string, MatValue>>[];
    };

const HEADER_BYTES = 128;
const MI_MATRIX = 14;
const MI_COMPRESSED = 15;
const CLASS = { cell: 1, struct: 2, char: 4, firstNumeric: 6, lastNumeric: 15 } as const;
const COMPLEX_FLAG = 0x0800;
const MAX_DEPTH = 16;
/** MATLAB's own is 63; of a longer one only this much is told. */
const MAX_NAME_LENGTH = 256;
/** Of all variables together. The FLMS file is under 1 MiB inflated; a larger claim is damage or a bomb. */
const MAX_INFLATED_BYTES = 64 * 1024 * 1024;
/** Numbers, characters, cells and fields of structs, of all variables together: each takes 8 bytes and more here. */
const MAX_VALUES = 4_000_000;

type NumberReader = (view: DataView, offset: number, littleEndian: boolean) => number;
const NUMBER_TYPES: Readonly<Record<number, { bytes: number; read: NumberReader }>> = {
  1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  2: { bytes: 1, read: (view, at) => view.getUint8(at) },
  3: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  4: { bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  5: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  6: { bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  7: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  9: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
  12: { bytes: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  13: { bytes: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
};
const TEXT_ENCODINGS: Readonly<Record<number, string>> = { 16: 'utf-8', 17: 'utf-16', 18: 'utf-32' };

/** What is left to spend, and the byte order, of one file. */
interface Budget {
  readonly little: boolean;
  values: number;
}

interface Tagged {
  readonly type: number;
  readonly data: Buffer;
  /** Offset just after the element and its padding. */
  readonly end: number;
}

/**
 * The variables of a MAT-file by name.
 * @throws FramewrightError `DATASET_INVALID` for other formats (7.3 is HDF5), damage and unsupported classes.
 */
export function readMat5(bytes: Buffer, path: string): ReadonlyMap<string, MatValue> {
  try {
    return readVariables(bytes);
  } catch (cause) {
    throw new FramewrightError('DATASET_INVALID', `${path} is no readable MATLAB level 5 file: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function readVariables(bytes: Buffer): Map<string, MatValue> {
  if (bytes.length < HEADER_BYTES) throw new Error(`it has ${bytes.length} bytes, less than a header`);
  if (bytes.toString('latin1', 0, 10) === 'MATLAB 7.3') throw new Error('version 7.3 (HDF5); save it again with -v7');
  const mark = bytes.toString('latin1', 126, 128);
  if (mark !== 'IM' && mark !== 'MI') throw new Error('no byte order mark in its header');
  const little = mark === 'IM';
  const variables = new Map<string, MatValue>();
  const budget: Budget = { little, values: MAX_VALUES };
  let inflatable = MAX_INFLATED_BYTES;
  for (let offset = HEADER_BYTES; offset < bytes.length;) {
    const outer = readTag(bytes, offset, little);
    // Compressed elements carry no padding, whatever their length.
    offset = outer.type === MI_COMPRESSED ? offset + 8 + outer.data.length : outer.end;
    let element = outer;
    if (outer.type === MI_COMPRESSED) {
      const inflated = inflateSync(outer.data, { maxOutputLength: Math.max(1, inflatable) });
      inflatable -= inflated.length;
      element = readTag(inflated, 0, little);
    }
    if (element.type !== MI_MATRIX) throw new Error(`element of type ${element.type} where a variable was expected`);
    const { name, value } = readMatrix(element.data, budget, 0);
    variables.set(name, value);
  }
  return variables;
}

function readTag(bytes: Buffer, offset: number, little: boolean): Tagged {
  if (offset + 8 > bytes.length) throw new Error(`truncated at byte ${offset}`);
  const word = little ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset);
  const smallBytes = word >>> 16;
  // Data of up to four bytes sits in the tag itself; its upper half is then its length.
  if (smallBytes > 0) {
    if (smallBytes > 4) throw new Error(`small element of ${smallBytes} bytes at byte ${offset}`);
    return { type: word & 0xffff, data: bytes.subarray(offset + 4, offset + 4 + smallBytes), end: offset + 8 };
  }
  const length = little ? bytes.readUInt32LE(offset + 4) : bytes.readUInt32BE(offset + 4);
  const start = offset + 8;
  if (start + length > bytes.length) throw new Error(`element of ${length} bytes at byte ${offset} overruns the file`);
  return {
    type: word,
    data: bytes.subarray(start, start + length),
    end: Math.min(start + Math.ceil(length / 8) * 8, bytes.length),
  };
}

function readMatrix(bytes: Buffer, budget: Budget, depth: number): { name: string; value: MatValue } {
  const { little } = budget;
  spend(budget, 1);
  if (depth > MAX_DEPTH) throw new Error(`arrays nested deeper than ${MAX_DEPTH}`);
  // MATLAB writes an empty cell as a matrix element without any content.
  if (bytes.length === 0) return { name: '', value: { kind: 'numbers', dims: [0, 0], data: [] } };
  let offset = 0;
  const next = (): Tagged => {
    const element = readTag(bytes, offset, little);
    offset = element.end;
    return element;
  };
  const flags = numbersOf(next(), budget)[0] ?? 0;
  const dims = numbersOf(next(), budget);
  const name = next().data.toString('latin1').slice(0, MAX_NAME_LENGTH);
  const arrayClass = flags & 0xff;
  const count = dims.reduce((product, n) => product * n, 1);
  const nested = (): MatValue => {
    const element = next();
    if (element.type !== MI_MATRIX) throw new Error(`element of type ${element.type} inside ${name || 'an array'}`);
    return readMatrix(element.data, budget, depth + 1).value;
  };

  if (arrayClass === CLASS.cell) {
    const cells = Array.from({ length: checkedCount(count, bytes, budget) }, nested);
    return { name, value: { kind: 'cells', dims, cells } };
  }
  if (arrayClass === CLASS.struct) {
    const nameBytes = numbersOf(next(), budget)[0] ?? 0;
    if (nameBytes < 1) throw new Error(`field names of ${nameBytes} bytes in ${name || 'a struct'}`);
    const names = next().data;
    const nFields = Math.floor(names.length / nameBytes);
    spend(budget, nFields);
    const fields = Array.from({ length: nFields }, (_, i) =>
      untilZero(names.toString('latin1', i * nameBytes, (i + 1) * nameBytes)),
    );
    const items = Array.from({ length: checkedCount(count, bytes, budget) }, () =>
      Object.fromEntries(fields.map((field) => [field, nested()])),
    );
    return { name, value: { kind: 'structs', dims, fields, items } };
  }
  if (flags & COMPLEX_FLAG) throw new Error(`complex numbers in ${name || 'an array'}`);
  if (arrayClass === CLASS.char) return { name, value: { kind: 'text', text: textOf(next(), budget) } };
  if (arrayClass < CLASS.firstNumeric || arrayClass > CLASS.lastNumeric) {
    throw new Error(`array class ${arrayClass} in ${name || 'an array'} is not supported`);
  }
  const data = numbersOf(next(), budget);
  if (data.length !== count) throw new Error(`${data.length} numbers in ${name || 'an array'} of ${dims.join(' x ')}`);
  return { name, value: { kind: 'numbers', dims, data } };
}

/** Every element takes at least its 8-byte tag, so a count beyond that is damage, not a reason to allocate. */
function checkedCount(count: number, bytes: Buffer, budget: Budget): number {
  if (!Number.isSafeInteger(count) || count < 0 || count > bytes.length / 8) {
    throw new Error(`an array claims ${count} elements in ${bytes.length} bytes`);
  }
  spend(budget, count);
  return count;
}

/** @throws Error where all values of the file would be more than are held */
function spend(budget: Budget, values: number): void {
  budget.values -= values;
  if (budget.values < 0) throw new Error(`it holds more than ${MAX_VALUES} values`);
}

function numbersOf(element: Tagged, budget: Budget): number[] {
  const type = NUMBER_TYPES[element.type];
  if (!type) throw new Error(`data of type ${element.type} where numbers were expected`);
  const { data } = element;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const count = Math.floor(data.length / type.bytes);
  spend(budget, count);
  return Array.from({ length: count }, (_, i) => type.read(view, i * type.bytes, budget.little));
}

function textOf(element: Tagged, budget: Budget): string {
  const { little } = budget;
  spend(budget, element.data.length);
  const encoding = TEXT_ENCODINGS[element.type];
  if (encoding === 'utf-8') return element.data.toString('utf8');
  if (encoding === 'utf-16') return new TextDecoder(little ? 'utf-16le' : 'utf-16be').decode(element.data);
  if (encoding === 'utf-32') throw new Error('text in UTF-32');
  return numbersOf(element, budget)
    .map((code) => String.fromCharCode(code))
    .join('');
}

function untilZero(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
