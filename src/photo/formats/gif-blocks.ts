import { defined } from '../../base/defined.js';
/** What a GIF says beside its first frame. */
export interface GifPhoto {
  readonly xmp?: Uint8Array;
  readonly icc?: Uint8Array;
  readonly nFrames: number;
  /** The file for the decoder, which takes what the first frame leaves bare of the canvas for black where no frame is transparent. */
  readonly pixels: Uint8Array;
  /**
   * As `pixels`, for a decoder that takes the first `nFrames`: what a later frame clears from the canvas is bare too. There
   * may be one frame more.
   */
  readonly movingPixels: Uint8Array;
  /** It ends within a block. */
  readonly isCut: boolean;
}

/** A terminated list of sub-blocks. */
interface Extension {
  readonly label: number;
  /** Behind the label. */
  readonly at: number;
  readonly end: number;
}

const XMP_IDENTIFIER = 'XMP DataXMP';
const ICC_IDENTIFIER = 'ICCRGBG1012';
const IDENTIFIER_BYTES = 11;

/** Behind the packet: 0x01, then 255 down to 0, which leads any reader of sub-blocks to the terminator. */
const MAGIC_TRAILER = Buffer.from([0x01, 0xff, 0xfe, 0xfd, 0xfc]);

/** Disposal of a frame: what it covers is cleared before the next one. */
const TO_BACKGROUND = 2;

const LABEL = { graphicControl: 0xf9, application: 0xff } as const;

/** More of them than any photo has metadata. */
const MAX_KEPT = 256;

export function readGif(bytes: Uint8Array): GifPhoto {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nothing = { nFrames: 1, pixels: bytes, movingPixels: bytes, isCut: false };
  if (buffer.length < 13) return nothing;
  const canvas = { width: buffer.readUInt16LE(6), height: buffer.readUInt16LE(8) };
  let at = 13 + tableBytes(buffer[10]!);
  const applications: Extension[] = [];
  let control: Extension | undefined;
  let first: { at: number; control: Extension | undefined; nColours: number; fills: boolean } | undefined;
  let nFrames = 0;
  let isTransparent = false;
  const cleared: Extension[] = [];
  let end: number | undefined;
  while (at < buffer.length && end === undefined) {
    const kind = buffer[at];
    if (kind === 0x21) {
      const extension = { label: buffer[at + 1] ?? 0, at: at + 2, end: endOfBlocks(buffer, at + 2) };
      if (extension.label === LABEL.graphicControl) control = extension;
      if (extension.label === LABEL.application && applications.length < MAX_KEPT) applications.push(extension);
      at = extension.end;
    } else if (kind === 0x2c && at + 10 <= buffer.length) {
      nFrames++;
      const flags = buffer[at + 9]!;
      const nColours = 2 << ((flags & 0x80 ? flags : buffer[10]!) & 7);
      if (control && isClearedOpaque(buffer, control) && nColours < 256) cleared.push(control);
      isTransparent ||= control !== undefined && (buffer[control.at + 1]! & 1) === 1;
      first ??= {
        at,
        control,
        nColours,
        fills:
          buffer.readUInt16LE(at + 1) === 0 &&
          buffer.readUInt16LE(at + 3) === 0 &&
          buffer.readUInt16LE(at + 5) >= canvas.width &&
          buffer.readUInt16LE(at + 7) >= canvas.height,
      };
      control = undefined;
      at = endOfBlocks(buffer, at + 10 + tableBytes(flags) + 1);
    } else if (kind === 0x3b) end = at;
    else break;
  }
  const found = (identifier: string): Buffer | undefined => applicationData(buffer, applications, identifier);
  const xmp = found(XMP_IDENTIFIER);
  const icc = found(ICC_IDENTIFIER);
  const isBare = first !== undefined && !first.fills && !isTransparent;
  const asBare = (gif: Buffer): Uint8Array => (isBare ? withTransparency(gif, first!, end) : gif);
  return {
    ...(xmp && { xmp }),
    ...defined({ icc }),
    nFrames: Math.max(1, nFrames),
    pixels: isBare ? asBare(buffer) : bytes,
    movingPixels: asBare(cleared.length > 0 ? withClearedBare(buffer, cleared) : buffer),
    isCut: end === undefined && at > buffer.length,
  };
}

/** Of a table of colours that a byte of flags tells of. */
function tableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * (2 << (flags & 7));
}

function endOfBlocks(buffer: Buffer, from: number): number {
  let at = from;
  while (at < buffer.length && buffer[at] !== 0) at += 1 + buffer[at]!;
  return at + 1;
}

function applicationData(buffer: Buffer, extensions: readonly Extension[], identifier: string): Buffer | undefined {
  const extension = extensions.find(
    ({ at }) =>
      buffer[at] === IDENTIFIER_BYTES && buffer.toString('latin1', at + 1, at + 1 + IDENTIFIER_BYTES) === identifier,
  );
  if (!extension || extension.end > buffer.length) return undefined;
  const from = extension.at + 1 + IDENTIFIER_BYTES;
  if (identifier === XMP_IDENTIFIER) {
    const raw = buffer.subarray(from, extension.end);
    const trailerAt = raw.lastIndexOf(MAGIC_TRAILER);
    return trailerAt < 0 ? undefined : raw.subarray(0, trailerAt);
  }
  const parts: Buffer[] = [];
  for (let at = from; buffer[at] !== 0 && at < extension.end; at += 1 + buffer[at]!) {
    parts.push(buffer.subarray(at + 1, at + 1 + buffer[at]!));
  }
  return Buffer.concat(parts);
}

/** Whether a frame is cleared and not transparent itself: the decoder then fills its place with a colour. */
function isClearedOpaque(buffer: Buffer, control: Extension): boolean {
  const flags = buffer[control.at + 1]!;
  return ((flags >> 2) & 7) === TO_BACKGROUND && (flags & 1) === 0;
}

/** With a transparent colour, that no pixel of theirs has, in the frames of these controls. */
function withClearedBare(buffer: Buffer, controls: readonly Extension[]): Buffer {
  const changed = Buffer.from(buffer);
  for (const { at } of controls) {
    changed[at + 1] = changed[at + 1]! | 1;
    changed[at + 4] = 255;
  }
  return changed;
}

/** A graphic control block whose transparent colour is one that no pixel has, or, where all 256 are used, another frame. */
function withTransparency(
  buffer: Buffer,
  first: { readonly at: number; readonly control: Extension | undefined; readonly nColours: number },
  end: number | undefined,
): Uint8Array {
  if (first.nColours < 256) {
    if (first.control) {
      const changed = Buffer.from(buffer);
      changed[first.control.at + 1] = changed[first.control.at + 1]! | 1;
      changed[first.control.at + 4] = 255;
      return changed;
    }
    return Buffer.concat([buffer.subarray(0, first.at), graphicControl(255), buffer.subarray(first.at)]);
  }
  if (end === undefined) return buffer;
  // One pixel of colour 0 and 2-bit codes: clear (4), 0, end (5).
  const frame = Buffer.from([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0, 2, 2, 0x44, 0x01, 0]);
  return Buffer.concat([buffer.subarray(0, end), graphicControl(0), frame, buffer.subarray(end)]);
}

function graphicControl(transparent: number): Buffer {
  return Buffer.from([0x21, LABEL.graphicControl, 4, 1, 0, 0, transparent, 0]);
}
