/** The place that a photo's file has for an XMP packet of its own. */
export interface XmpPlace {
  /** As it stands there; undefined where there is none yet. */
  readonly packet?: Uint8Array;
  /**
   * The file with this packet as its only one, and every byte of its pictures as it was.
   * @returns undefined where the place has no room for it.
   */
  readonly replaced: (packet: Uint8Array) => Uint8Array | undefined;
  /** What of the file stays the same whatever packet it has, to be told by: the same parts before and after. */
  readonly rest: () => readonly Uint8Array[];
}

/** A place, or why the file has none that may be written to: to follow its name. */
export type FoundPlace = XmpPlace | { readonly refusal: string };

export const REFUSAL = {
  signed: 'is signed (Content Credentials), which any change to its file would break',
  doubled: 'has XMP in two places, which programs read differently',
  unknown: 'is built in a way that its XMP cannot be changed for sure',
} as const;

export function refusedPlace(why: keyof typeof REFUSAL): FoundPlace {
  return { refusal: REFUSAL[why] };
}
