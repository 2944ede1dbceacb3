import { familyOfText } from './families/index.js';
import type { GgufHeader } from './reader.js';
import { printable } from './printable.js';
import { countElements, type GgmlType, type GgufValueType } from './types.js';
import type { GgufValue } from './values.js';

/** Items of an array that are shown. */
const ARRAY_HEAD = 8;
const TEXT_WIDTH = 96;

/** A metadata value as JSON can hold it; of a long array only the first items. */
export interface InspectedValue {
  readonly key: string;
  /** `uint32`, `string`, `array of int32`, ... */
  readonly type: string;
  /** 64-bit integers, NaN and infinities as text; of an array the first 8 items. */
  readonly value: string | number | boolean | readonly (string | number | boolean)[];
  /** Of an array: all its items. */
  readonly length?: number;
}

export interface InspectedTensor {
  readonly name: string;
  readonly type: GgmlType;
  /** ggml's `ne`, innermost first. */
  readonly shape: readonly number[];
  /** Offset in the file. */
  readonly offset: number;
  readonly nBytes: number;
}

export interface TypeCount {
  readonly type: GgmlType;
  readonly nTensors: number;
  readonly nParams: number;
  readonly nBytes: number;
}

/** What a file holds, ready for JSON. */
export interface GgufSummary {
  readonly path: string;
  readonly fileBytes: number;
  readonly version: number;
  readonly alignment: number;
  readonly architecture: string | undefined;
  /** Of a text model or an adapter: its family's title, where it runs. */
  readonly family: string | undefined;
  readonly name: string | undefined;
  readonly nTensors: number;
  readonly nParams: number;
  readonly tensorBytes: number;
  /** The type with most bytes first. */
  readonly types: readonly TypeCount[];
  readonly metadata: readonly InspectedValue[];
  readonly tensors: readonly InspectedTensor[];
}

export function inspectGguf(header: GgufHeader): GgufSummary {
  const tensors = header.tensors.map(({ name, type, shape, offset, nBytes }) => ({
    name,
    type,
    shape,
    offset: header.dataStart + offset,
    nBytes,
  }));
  const types = new Map<GgmlType, TypeCount>();
  for (const { type, shape, nBytes } of tensors) {
    const sum = types.get(type) ?? { type, nTensors: 0, nParams: 0, nBytes: 0 };
    types.set(type, {
      type,
      nTensors: sum.nTensors + 1,
      nParams: sum.nParams + countElements(shape),
      nBytes: sum.nBytes + nBytes,
    });
  }
  const counts = [...types.values()].sort((a, b) => b.nBytes - a.nBytes);
  const stringOf = (key: string): string | undefined => {
    const entry = header.metadata.get(key);
    return entry?.type === 'string' ? entry.value : undefined;
  };
  return {
    path: header.path,
    fileBytes: header.fileBytes,
    version: header.version,
    alignment: header.alignment,
    architecture: stringOf('general.architecture'),
    family: familyOfText(header.metadata)?.title,
    name: stringOf('general.name'),
    nTensors: tensors.length,
    nParams: counts.reduce((sum, { nParams }) => sum + nParams, 0),
    tensorBytes: counts.reduce((sum, { nBytes }) => sum + nBytes, 0),
    types: counts,
    metadata: [...header.metadata].map(([key, entry]) => inspectValue(key, entry)),
    tensors,
  };
}

function inspectValue(key: string, entry: GgufValue): InspectedValue {
  if (entry.type !== 'array') return { key, type: entry.type, value: plain(entry.type, entry.value) };
  const head = Array.from<string | number | bigint>(entry.value.slice(0, ARRAY_HEAD));
  const items = head.map((item) => plain(entry.itemType, item));
  return { key, type: `array of ${entry.itemType}`, value: items, length: entry.value.length };
}

/** As JSON can hold it: a float32 with no more digits than it has, what is no number in JSON as text. */
function plain(type: GgufValueType, value: string | number | bigint | boolean): string | number | boolean {
  if (type === 'bool') return Boolean(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value)) return String(value);
  return type === 'float32' ? shortestFloat32(value) : value;
}

function shortestFloat32(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}

export interface RenderOptions {
  /** Also the table of tensors. Default false. */
  readonly tensors?: boolean;
}

/** The summary as text for people, lines of about 100 columns. */
export function renderSummary(summary: GgufSummary, options: RenderOptions = {}): string {
  const { path, fileBytes, version, architecture, family, name, nTensors, nParams, types, metadata, tensors } = summary;
  const lines = [
    path,
    `  ${name ?? 'no name'}, architecture ${architecture ?? 'not named'}${family === undefined ? '' : ` (${family})`}, GGUF version ${version}`,
    `  ${sizeText(fileBytes)}, ${nTensors} tensors, ${countText(nParams)} parameters`,
    '',
    ...columns([
      ['type', 'tensors', 'parameters', 'size'],
      ...types.map((t) => [t.type, String(t.nTensors), countText(t.nParams), sizeText(t.nBytes)]),
    ]),
    '',
    ...columns(metadata.map((entry) => [entry.key, entry.type, shorten(valueText(entry))])),
  ];
  if (options.tensors) {
    lines.push(
      '',
      ...columns([
        ['tensor', 'type', 'shape', 'offset', 'size'],
        ...tensors.map((t) => [t.name, t.type, t.shape.join(' x '), String(t.offset), sizeText(t.nBytes)]),
      ]),
    );
  }
  return lines.map(printable).join('\n');
}

function valueText({ value, length }: InspectedValue): string {
  if (!Array.isArray(value)) return typeof value === 'string' ? JSON.stringify(value) : String(value);
  const more = length !== undefined && length > value.length ? `, ... ${length} items` : '';
  return `[${value.map((item) => JSON.stringify(item)).join(', ')}${more}]`;
}

function shorten(text: string): string {
  return text.length > TEXT_WIDTH ? `${text.slice(0, TEXT_WIDTH - 3)}...` : text;
}

/** Rows of equal length, two spaces between columns; the last column is not padded. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map(
    (row) => `  ${row.map((cell, i) => (i < row.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell)).join('  ')}`,
  );
}

function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${units[power]!}`;
}

function countText(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(2)} B`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(2)} M`;
  return String(count);
}
