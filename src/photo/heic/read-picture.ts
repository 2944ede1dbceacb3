import { defined } from '../../base/defined.js';
import { colourSpaceOfCicp, iccProfile } from '../formats/icc-profile.js';
import { rawTiff } from '../formats/raw-tiff.js';
import type { Cicp } from '../formats/types.js';
import { composedOrientation } from '../metadata/orientation.js';
import { CHROMA, ERROR, INTERLEAVED, PROPERTY, SPACE_RGB, SUBERROR, type Libheif, type Pointer } from './libheif.js';
import type { HeicPicture, HeicReply, HeicRequest } from './messages.js';

/** An error of libheif, by what is to be done about it. */
export class HeicFailure extends Error {
  readonly kind: 'unsupported' | 'memory' | 'limit' | 'damaged';

  constructor(kind: HeicFailure['kind'], reason: string) {
    super(reason);
    this.kind = kind;
  }
}

/** Coded pictures are somewhat larger than what is seen of them: whole blocks, whole tiles of a grid. */
const SPARE_PIXELS = 4_000_000;

/** Of what is no picture: more than any EXIF, XMP or profile has. */
const MAX_BLOCK_BYTES = 64 * 1024 ** 2;
const MAX_ITEMS = 1000;

/** Of `heif_image_handle_get_auxiliary_image_handle`: neither alpha, which is decoded, nor depth, which is counted. */
const NEITHER_ALPHA_NOR_DEPTH = 2 | 4;

/**
 * Decodes the primary picture. Nothing is freed: the memory goes with the thread.
 *
 * @throws HeicFailure
 */
export function readPicture(heif: Libheif, { bytes, maxPixels }: HeicRequest): HeicReply {
  const memory = new HeifMemory(heif);
  const context = heif._heif_context_alloc();
  memory.limitPixels(heif._heif_context_get_security_limits(context), maxPixels + SPARE_PIXELS);
  memory.call((error) =>
    heif._heif_context_read_from_memory_without_copy(error, context, memory.copied(bytes), bytes.length, 0),
  );
  const handle = memory.pointerFrom((error, to) => heif._heif_context_get_primary_image_handle(error, context, to));
  const width = heif._heif_image_handle_get_width(handle);
  const height = heif._heif_image_handle_get_height(handle);
  if (width * height > maxPixels) return { tooLarge: { width, height } };

  const hasAlpha = heif._heif_image_handle_has_alpha_channel(handle) !== 0;
  const chroma = memory.pointerFrom((error, to) =>
    heif._heif_image_handle_get_preferred_decoding_colorspace(error, handle, memory.room(4), to),
  );
  const blocks = metadataOf(heif, memory, handle);
  const cicp = cicpOf(heif, memory, handle);
  const icc = profileOf(heif, memory, handle) ?? profileFor(cicp);
  return {
    found: {
      tiff: decode(heif, memory, handle, hasAlpha, icc),
      orientation: orientationOf(heif, memory, context),
      hasAlpha,
      isSubsampled: chroma === CHROMA.subsampled,
      ...defined({ cicp }),
      ...blocks,
      nPictures: heif._heif_context_get_number_of_top_level_images(context),
      auxiliaries: auxiliariesOf(heif, memory, handle),
    },
  };
}

function decode(
  heif: Libheif,
  memory: HeifMemory,
  handle: Pointer,
  hasAlpha: boolean,
  icc: Uint8Array | undefined,
): Uint8Array {
  const isDeep = heif._heif_image_handle_get_luma_bits_per_pixel(handle) > 8;
  const chroma = isDeep ? (hasAlpha ? CHROMA.rgba16 : CHROMA.rgb16) : hasAlpha ? CHROMA.rgba : CHROMA.rgb;
  const options = heif._heif_decoding_options_alloc();
  memory.setStrict(options);
  const image = memory.pointerFrom((error, to) =>
    heif._heif_decode_image(error, handle, to, SPACE_RGB, chroma, options),
  );
  const width = heif._heif_image_get_width(image, INTERLEAVED);
  const height = heif._heif_image_get_height(image, INTERLEAVED);
  const strideTo = memory.room(4);
  const plane = heif._heif_image_get_plane_readonly(image, INTERLEAVED, strideTo);
  const stride = memory.u32(strideTo);
  const nChannels = hasAlpha ? 4 : 3;
  const { bytes, pixelsAt } = rawTiff({
    width,
    height,
    nChannels,
    bitDepth: isDeep ? 16 : 8,
    ...defined({ icc }),
  });
  const rowBytes = width * nChannels * (isDeep ? 2 : 1);
  for (let y = 0; y < height; y++) {
    const from = plane + y * stride;
    bytes.set(heif.HEAPU8.subarray(from, from + rowBytes), pixelsAt + y * rowBytes);
  }
  if (isDeep) {
    stretch(new DataView(bytes.buffer, pixelsAt), heif._heif_image_get_bits_per_pixel_range(image, INTERLEAVED));
  }
  if (heif._heif_image_handle_is_premultiplied_alpha(handle) !== 0) {
    divideByAlpha(isDeep ? new Uint16Array(bytes.buffer, pixelsAt) : bytes.subarray(pixelsAt), isDeep ? 65_535 : 255);
  }
  return bytes;
}

/** Colours as they are where nothing shows through: what every format written here holds. */
function divideByAlpha(values: Uint8Array | Uint16Array, highest: number): void {
  for (let at = 0; at < values.length; at += 4) {
    const alpha = values[at + 3]!;
    for (let i = at; alpha > 0 && i < at + 3; i++) {
      values[i] = Math.min(highest, Math.round((values[i]! * highest) / alpha));
    }
  }
}

/** Values of 10 or 12 bits to the 16 that a TIFF has: the highest becomes the highest. */
function stretch(values: DataView, nBits: number): void {
  for (let at = 0; at < values.byteLength; at += 2) {
    const value = values.getUint16(at, true);
    values.setUint16(at, (value << (16 - nBits)) | (value >> (2 * nBits - 16)), true);
  }
}

/** Of the rotations and mirrorings in the order they are made (ISO/IEC 23008-12, 6.5.10 and 6.5.12). */
function orientationOf(heif: Libheif, memory: HeifMemory, context: Pointer): number {
  const id = memory.pointerFrom((error, to) => heif._heif_context_get_primary_image_ID(error, context, to));
  const listAt = memory.room(4 * MAX_STEPS);
  const nSteps = heif._heif_item_get_transformation_properties(context, id, listAt, MAX_STEPS);
  const steps = Array.from({ length: nSteps }, (_, i) => {
    const property = memory.u32(listAt + 4 * i);
    switch (heif._heif_item_get_property_type(context, id, property)) {
      case PROPERTY.rotation:
        return TURNED[heif._heif_item_get_property_transform_rotation_ccw(context, id, property) / 90] ?? 1;
      case PROPERTY.mirror:
        return heif._heif_item_get_property_transform_mirror(context, id, property) === 0 ? 4 : 2;
      default:
        return 1;
    }
  });
  return composedOrientation(steps);
}

/** EXIF orientations of quarter turns to the left. */
const TURNED = [1, 8, 3, 6];
const MAX_STEPS = 16;

function metadataOf(heif: Libheif, memory: HeifMemory, handle: Pointer): Pick<HeicPicture, 'exif' | 'xmp'> {
  const nBlocks = Math.min(MAX_ITEMS, heif._heif_image_handle_get_number_of_metadata_blocks(handle, 0));
  const idsAt = memory.room(4 * nBlocks);
  const nListed = heif._heif_image_handle_get_list_of_metadata_block_IDs(handle, 0, idsAt, nBlocks);
  let [exif, xmp]: [Uint8Array?, Uint8Array?] = [];
  for (let i = 0; i < nListed; i++) {
    const id = memory.u32(idsAt + 4 * i);
    const type = memory.text(heif._heif_image_handle_get_metadata_type(handle, id));
    const kind = memory.text(heif._heif_image_handle_get_metadata_content_type(handle, id));
    const read = (): Uint8Array =>
      memory.bytesFrom(heif._heif_image_handle_get_metadata_size(handle, id), (error, to) =>
        heif._heif_image_handle_get_metadata(error, handle, id, to),
      );
    if (type === 'Exif') exif ??= behindOffset(read());
    if (type === 'mime' && kind === 'application/rdf+xml') xmp ??= read();
  }
  return defined({ exif, xmp });
}

/** Four bytes say how far behind them the TIFF header begins (ISO/IEC 23008-12, A.2.1). */
function behindOffset(item: Uint8Array): Uint8Array | undefined {
  if (item.length < 4) return undefined;
  const at = 4 + new DataView(item.buffer, item.byteOffset).getUint32(0);
  return at < item.length ? item.slice(at) : undefined;
}

function profileOf(heif: Libheif, memory: HeifMemory, handle: Pointer): Uint8Array | undefined {
  const nBytes = heif._heif_image_handle_get_raw_color_profile_size(handle);
  if (nBytes === 0) return undefined;
  return memory.bytesFrom(nBytes, (error, to) => heif._heif_image_handle_get_raw_color_profile(error, handle, to));
}

/** libvips knows a picture's colours by its profile alone. */
function profileFor(cicp: Cicp | undefined): Uint8Array | undefined {
  const space = cicp && colourSpaceOfCicp(cicp);
  return space && iccProfile(space, false);
}

/** `heif_color_profile_nclx`: a version in a byte, then the enumerations in four each. */
function cicpOf(heif: Libheif, memory: HeifMemory, handle: Pointer): Cicp | undefined {
  if (heif._heif_image_handle_get_raw_color_profile_size(handle) > 0) return undefined;
  const error = memory.room(12);
  const to = memory.room(4);
  heif._heif_image_handle_get_nclx_color_profile(error, handle, to);
  if (memory.u32(error) !== ERROR.ok) return undefined; // it has none
  const profile = memory.u32(to);
  const cicp = { primaries: memory.u32(profile + 4), transfer: memory.u32(profile + 8) };
  return cicp.primaries > 255 || cicp.transfer > 255 || (cicp.primaries === 2 && cicp.transfer === 2)
    ? undefined
    : cicp;
}

function auxiliariesOf(heif: Libheif, memory: HeifMemory, handle: Pointer): string[] {
  const nImages = Math.min(
    MAX_ITEMS,
    heif._heif_image_handle_get_number_of_auxiliary_images(handle, NEITHER_ALPHA_NOR_DEPTH),
  );
  const idsAt = memory.room(4 * nImages);
  const nListed = heif._heif_image_handle_get_list_of_auxiliary_image_IDs(
    handle,
    NEITHER_ALPHA_NOR_DEPTH,
    idsAt,
    nImages,
  );
  const types = Array.from({ length: nListed }, (_, i) => {
    const id = memory.u32(idsAt + 4 * i);
    const found = memory.pointerFrom((error, to) =>
      heif._heif_image_handle_get_auxiliary_image_handle(error, handle, id, to),
    );
    return memory.text(memory.pointerFrom((error, to) => heif._heif_image_handle_get_auxiliary_type(error, found, to)));
  });
  const nDepths = heif._heif_image_handle_get_number_of_depth_images(handle);
  return nDepths > 0 ? [...types, 'depth'] : types;
}

function kindOf(code: number, subcode: number): HeicFailure['kind'] {
  if (subcode === SUBERROR.limit) return 'limit';
  if (code === ERROR.memory) return 'memory';
  const isUnknown = code === ERROR.unsupportedFile || code === ERROR.unsupportedFeature;
  return isUnknown || subcode === SUBERROR.noDecoder ? 'unsupported' : 'damaged';
}

/** Reads and writes the module's memory, which moves as it grows: nothing of it is kept between calls. */
class HeifMemory {
  readonly #heif: Libheif;

  constructor(heif: Libheif) {
    this.#heif = heif;
  }

  /** @throws HeicFailure where there is no more */
  room(nBytes: number): Pointer {
    const at = this.#heif._malloc(Math.max(nBytes, 4));
    if (at === 0) throw new HeicFailure('memory', `no ${nBytes} bytes left`);
    this.#heif.HEAPU8.fill(0, at, at + nBytes);
    return at;
  }

  copied(bytes: Uint8Array): Pointer {
    const at = this.room(bytes.length);
    this.#heif.HEAPU8.set(bytes, at);
    return at;
  }

  u32(at: Pointer): number {
    return this.#view().getUint32(at, true);
  }

  /** Up to its zero, or a length that no name has. */
  text(at: Pointer): string {
    if (at === 0) return '';
    const bytes = this.#heif.HEAPU8.subarray(at, at + 256);
    const end = bytes.indexOf(0);
    return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
  }

  /** A copy of what is written to as many bytes. */
  bytesFrom(nBytes: number, write: (error: Pointer, to: Pointer) => void): Uint8Array {
    if (nBytes > MAX_BLOCK_BYTES) throw new HeicFailure('damaged', `a profile or metadata of ${nBytes} bytes`);
    const to = this.room(nBytes);
    this.call((error) => write(error, to));
    return this.#heif.HEAPU8.slice(to, to + nBytes);
  }

  /** What is written to four bytes. */
  pointerFrom(write: (error: Pointer, to: Pointer) => void): Pointer {
    const to = this.room(4);
    this.call((error) => write(error, to));
    return this.u32(to);
  }

  /** `heif_error`: code, subcode, message. */
  call(work: (error: Pointer) => void): void {
    const error = this.room(12);
    work(error);
    const code = this.u32(error);
    if (code === ERROR.ok) return;
    // It ends some of its messages with a line break.
    const reason = this.text(this.u32(error + 8)).trim();
    throw new HeicFailure(kindOf(code, this.u32(error + 4)), reason);
  }

  /** `heif_security_limits.max_image_size_pixels`: 64 bits behind a version. */
  limitPixels(limits: Pointer, nPixels: number): void {
    const now = this.#view().getBigUint64(limits + 8, true);
    const wanted = BigInt(nPixels);
    if (now === 0n || wanted < now) this.#view().setBigUint64(limits + 8, wanted, true);
  }

  /** `heif_decoding_options.strict_decoding`: behind a version, a flag, three functions, their data and a flag. */
  setStrict(options: Pointer): void {
    this.#heif.HEAPU8[options + 21] = 1;
  }

  #view(): DataView {
    return new DataView(this.#heif.HEAPU8.buffer);
  }
}
