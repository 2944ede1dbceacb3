import { encodePngChunk, pngChunks } from './png-chunks.js';
import type { PngChunk } from './types.js';

/** How a frame is put on what is there, and what is left of it, as the PNG specification (third edition, 11.3.6) numbers them. */
export const BLEND = { source: 0, over: 1 } as const;
export const DISPOSE = { none: 0, background: 1, previous: 2 } as const;

export interface ApngFrame {
  /** Where it lies on the canvas, in pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Seconds, as a fraction; a denominator of 0 stands for 100. */
  readonly delay: readonly [numerator: number, denominator: number];
  readonly dispose: number;
  readonly blend: number;
  /** A PNG of the frame alone. */
  readonly png: Uint8Array;
}

export interface Apng {
  readonly width: number;
  readonly height: number;
  /** Bits a channel. */
  readonly depth: number;
  /** 0: for ever. */
  readonly plays: number;
  readonly frames: readonly ApngFrame[];
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const HEADER_BYTES = 13;
const CONTROL_BYTES = 26;
const SEQUENCE_BYTES = 4;

/** What every frame is decoded with. */
const SHARED = new Set(['PLTE', 'tRNS']);

/**
 * The frames of an animated PNG, whose first is the picture that other readers show.
 *
 * @returns undefined for a file that does not say where its frames lie, or in which some are missing
 */
export function readApng(bytes: Uint8Array): Apng | undefined {
  let header: Buffer | undefined;
  let counts: { readonly nFrames: number; readonly plays: number } | undefined;
  const shared: PngChunk[] = [];
  const frames: { readonly control: Buffer; readonly data: Uint8Array[] }[] = [];
  let isWhole = false;
  for (const { type, data } of pngChunks(bytes)) {
    const chunk = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    if (type === 'IHDR' && chunk.length === HEADER_BYTES) header = chunk;
    else if (type === 'acTL' && chunk.length === 8) {
      counts = { nFrames: chunk.readUInt32BE(0), plays: chunk.readUInt32BE(4) };
    } else if (type === 'fcTL' && chunk.length === CONTROL_BYTES) frames.push({ control: chunk, data: [] });
    else if (type === 'IDAT') {
      // The picture of other readers is no frame: what is cropped would not be what they show.
      if (frames.length === 0) return undefined;
      frames[0]!.data.push(chunk);
    } else if (type === 'fdAT') frames.at(-1)?.data.push(chunk.subarray(SEQUENCE_BYTES));
    else if (SHARED.has(type)) shared.push({ type, data: chunk });
    else if (type === 'IEND') isWhole = true;
  }
  if (!isWhole || !header || frames.length !== counts?.nFrames) return undefined;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const read = frames.map(({ control, data }) => frameOf(control, data, header, shared));
  const isInside = ({ x, y, ...frame }: ApngFrame): boolean =>
    frame.width > 0 && frame.height > 0 && x + frame.width <= width && y + frame.height <= height;
  if (!read.every(isInside) || frames.some(({ data }) => data.length === 0)) return undefined;
  return { width, height, depth: header[8]!, plays: counts.plays, frames: read };
}

function frameOf(control: Buffer, data: readonly Uint8Array[], header: Buffer, shared: readonly PngChunk[]): ApngFrame {
  const [width, height, x, y] = [4, 8, 12, 16].map((at) => control.readUInt32BE(at)) as [
    number,
    number,
    number,
    number,
  ];
  const own = Buffer.from(header);
  own.writeUInt32BE(width, 0);
  own.writeUInt32BE(height, 4);
  const png = pngOf([{ type: 'IHDR', data: own }, ...shared, ...data.map((part) => ({ type: 'IDAT', data: part }))]);
  const delay = [control.readUInt16BE(20), control.readUInt16BE(22)] as const;
  return { x, y, width, height, delay, dispose: control[24]!, blend: control[25]!, png };
}

/**
 * An animated PNG of pictures that are all whole, each in the place of the one before.
 *
 * @param pngs of one size and kind
 * @param described further chunks in front of the pixels
 */
export function writeApng(
  pngs: readonly Uint8Array[],
  { plays, delays }: { readonly plays: number; readonly delays: readonly ApngFrame['delay'][] },
  described: readonly PngChunk[],
): Uint8Array {
  const counts = Buffer.alloc(8);
  counts.writeUInt32BE(pngs.length, 0);
  counts.writeUInt32BE(plays, 4);
  let sequence = 0;
  const [first] = pngs;
  const header = [...pngChunks(first!)].find(({ type }) => type === 'IHDR')!.data;
  const frames = pngs.flatMap((png, i) => {
    const control = Buffer.alloc(CONTROL_BYTES);
    control.writeUInt32BE(sequence++, 0);
    control.set(header.subarray(0, 8), 4);
    control.writeUInt16BE(delays[i]![0], 20);
    control.writeUInt16BE(delays[i]![1], 22);
    const parts = [...pngChunks(png)].filter(({ type }) => type === 'IDAT');
    const data = parts.map(({ data: part }): PngChunk => {
      if (i === 0) return { type: 'IDAT', data: part };
      const numbered = Buffer.alloc(SEQUENCE_BYTES);
      numbered.writeUInt32BE(sequence++, 0);
      return { type: 'fdAT', data: Buffer.concat([numbered, part]) };
    });
    return [{ type: 'fcTL', data: control }, ...data];
  });
  return pngOf([{ type: 'IHDR', data: header }, ...described, { type: 'acTL', data: counts }, ...frames]);
}

function pngOf(chunks: readonly PngChunk[]): Uint8Array {
  return Buffer.concat([SIGNATURE, ...[...chunks, { type: 'IEND', data: new Uint8Array() }].map(encodePngChunk)]);
}
