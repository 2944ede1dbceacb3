/** `--output -`, and where the crop of the photo on stdin goes unless told otherwise. */
export const STDOUT = '-';

/** The files one photo's crops go to. */
export interface PlannedPhoto {
  /** The photo's path, or `-`. */
  readonly input: string;
  /** `[target][rank]`, the best candidate first. */
  readonly crops: readonly (readonly string[])[];
  /** `[target]`, where overlays are asked for. */
  readonly overlays: readonly string[];
  /** Where its crop is noted for raw developers; it may be there already, with other things in it. */
  readonly sidecar?: string;
  /** Its crop is noted in its own XMP, if its file has a place for it; else in the sidecar. */
  readonly embeds?: boolean;
}

/** Every file a photo gives, its sidecar aside. */
export function filesOf({ crops, overlays }: PlannedPhoto): string[] {
  return [...crops.flat(), ...overlays];
}

/** What is left of a plan without some of its targets, by their places from 0. */
export function withoutTargets(planned: PlannedPhoto, left: ReadonlySet<number>): PlannedPhoto {
  const isMade = (_: unknown, i: number): boolean => !left.has(i);
  return { ...planned, crops: planned.crops.filter(isMade), overlays: planned.overlays.filter(isMade) };
}
