export interface PngChunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** Code points of ITU-T H.273 that say what RGB values mean; the matrix and range are the encoder's business. */
export interface Cicp {
  readonly primaries: number;
  readonly transfer: number;
}

/** What a photo says about itself beside its pixels; the colour profile is the encoder's business. */
export interface CropMetadata {
  /** From the TIFF header on, without JPEG's `Exif\0\0`. */
  readonly exif?: Uint8Array;
  /** The packet, with or without its xpacket wrapper. */
  readonly xmp?: string;
  /** Payloads of a JPEG's APP1 segments that go on where the packet has no room. */
  readonly extendedXmp?: readonly Uint8Array[];
  /** Photoshop's image resources, with the IPTC record in them. */
  readonly photoshop?: Uint8Array;
  /** Text chunks of a PNG. */
  readonly texts?: readonly PngChunk[];
  /** Payloads of a JPEG's comments. */
  readonly comments?: readonly Uint8Array[];
  /** For PNG and AVIF, which have a place for it beside or instead of a profile. */
  readonly cicp?: Cicp;
}
