import { createRequire } from 'node:module';
import { OPTIONAL_PACKAGES } from '../../files/optional-packages.js';

/** An optional peer: libheif compiled to WebAssembly, with its decoder of HEVC. */
export const [HEIC_PACKAGE] = OPTIONAL_PACKAGES.heic;

/** The module with its WebAssembly in it. Looked for anew each time: it may have been installed meanwhile. */
export function findLibheif(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(`${HEIC_PACKAGE}/wasm-bundle`);
  } catch {
    return undefined;
  }
}

/** Whether HEIC photos can be read here. */
export function readsHeic(): boolean {
  return findLibheif() !== undefined;
}

export function isHeicName(name: string): boolean {
  return /\.(heic|heif|hif)$/i.test(name);
}

/** An address in the module's memory; 0 is none. */
export type Pointer = number;

/**
 * The part of libheif's C API used here (libheif/heif.h), as libheif-js 1.23.2 exports it. Where C returns a
 * `heif_error`, the first parameter is where it goes.
 */
export interface Libheif {
  readonly HEAPU8: Uint8Array;
  _malloc(nBytes: number): Pointer;
  _free(at: Pointer): void;
  _heif_context_alloc(): Pointer;
  _heif_context_get_security_limits(context: Pointer): Pointer;
  _heif_context_read_from_memory_without_copy(
    error: Pointer,
    context: Pointer,
    at: Pointer,
    nBytes: number,
    options: Pointer,
  ): void;
  _heif_context_get_primary_image_handle(error: Pointer, context: Pointer, handle: Pointer): void;
  _heif_context_get_primary_image_ID(error: Pointer, context: Pointer, id: Pointer): void;
  _heif_context_get_number_of_top_level_images(context: Pointer): number;
  _heif_item_get_transformation_properties(context: Pointer, id: number, properties: Pointer, count: number): number;
  _heif_item_get_property_type(context: Pointer, id: number, property: number): number;
  _heif_item_get_property_transform_mirror(context: Pointer, id: number, property: number): number;
  _heif_item_get_property_transform_rotation_ccw(context: Pointer, id: number, property: number): number;
  _heif_image_handle_get_width(handle: Pointer): number;
  _heif_image_handle_get_height(handle: Pointer): number;
  _heif_image_handle_get_luma_bits_per_pixel(handle: Pointer): number;
  _heif_image_handle_has_alpha_channel(handle: Pointer): number;
  _heif_image_handle_is_premultiplied_alpha(handle: Pointer): number;
  _heif_image_handle_get_preferred_decoding_colorspace(
    error: Pointer,
    handle: Pointer,
    space: Pointer,
    chroma: Pointer,
  ): void;
  _heif_image_handle_get_raw_color_profile_size(handle: Pointer): number;
  _heif_image_handle_get_raw_color_profile(error: Pointer, handle: Pointer, to: Pointer): void;
  _heif_image_handle_get_nclx_color_profile(error: Pointer, handle: Pointer, profile: Pointer): void;
  _heif_image_handle_get_number_of_depth_images(handle: Pointer): number;
  _heif_image_handle_get_number_of_auxiliary_images(handle: Pointer, filter: number): number;
  _heif_image_handle_get_list_of_auxiliary_image_IDs(
    handle: Pointer,
    filter: number,
    ids: Pointer,
    count: number,
  ): number;
  _heif_image_handle_get_auxiliary_image_handle(error: Pointer, handle: Pointer, id: number, found: Pointer): void;
  _heif_image_handle_get_auxiliary_type(error: Pointer, handle: Pointer, type: Pointer): void;
  _heif_image_handle_get_number_of_metadata_blocks(handle: Pointer, type: Pointer): number;
  _heif_image_handle_get_list_of_metadata_block_IDs(
    handle: Pointer,
    type: Pointer,
    ids: Pointer,
    count: number,
  ): number;
  _heif_image_handle_get_metadata_type(handle: Pointer, id: number): Pointer;
  _heif_image_handle_get_metadata_content_type(handle: Pointer, id: number): Pointer;
  _heif_image_handle_get_metadata_size(handle: Pointer, id: number): number;
  _heif_image_handle_get_metadata(error: Pointer, handle: Pointer, id: number, to: Pointer): void;
  _heif_decoding_options_alloc(): Pointer;
  _heif_decode_image(
    error: Pointer,
    handle: Pointer,
    image: Pointer,
    space: number,
    chroma: number,
    options: Pointer,
  ): void;
  _heif_image_get_plane_readonly(image: Pointer, channel: number, stride: Pointer): Pointer;
  _heif_image_get_width(image: Pointer, channel: number): number;
  _heif_image_get_height(image: Pointer, channel: number): number;
  _heif_image_get_bits_per_pixel_range(image: Pointer, channel: number): number;
}

/** `heif_colorspace`. */
export const SPACE_RGB = 1;
/** `heif_chroma`: 420 as stored; the others as asked for, 16 bits in the order of bytes that every platform here has. */
export const CHROMA = { subsampled: 1, rgb: 10, rgba: 11, rgb16: 14, rgba16: 15 } as const;
/** `heif_channel`. */
export const INTERLEAVED = 10;

/** `heif_error_code`. */
export const ERROR = { ok: 0, unsupportedFile: 3, unsupportedFeature: 4, memory: 6 } as const;
/** `heif_suberror_code`. */
export const SUBERROR = { limit: 1000, noDecoder: 3000 } as const;
/** `heif_item_property_type`: the names of boxes as numbers. */
export const PROPERTY = { rotation: 0x69726f74, mirror: 0x696d6972 } as const;
