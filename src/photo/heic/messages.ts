import type { Size } from '../../base/geometry.js';
import type { Cicp } from '../formats/types.js';

/** What the thread that decodes is given. */
export interface HeicRequest {
  /** Path of the module of libheif. */
  readonly libheif: string;
  readonly bytes: Uint8Array;
  readonly maxPixels: number;
}

/** What it found. */
export type HeicReply =
  | { readonly found: HeicPicture }
  | { readonly tooLarge: Size }
  | { readonly failure: { readonly kind: 'unsupported' | 'memory' | 'limit' | 'damaged'; readonly reason: string } };

/** The primary picture of a HEIC, upright: its rotation and mirroring are applied. */
export interface HeicPicture {
  /** Uncompressed, with the profile: a TIFF is what libvips reads raw pixels from in any depth. */
  readonly tiff: Uint8Array;
  /** The EXIF orientation that makes the pixels as coded those of the picture; what EXIF itself says does not count. */
  readonly orientation: number;
  readonly hasAlpha: boolean;
  /** Colour at half resolution, 4:2:0. */
  readonly isSubsampled: boolean;
  readonly cicp?: Cicp;
  /** From the TIFF header on. */
  readonly exif?: Uint8Array;
  readonly xmp?: Uint8Array;
  readonly nPictures: number;
  /** Of auxiliary pictures but alpha, as `auxC` names them. */
  readonly auxiliaries: readonly string[];
}
