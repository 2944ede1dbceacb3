import type { Box, Size } from '../base/geometry.js';
import type { PlacesPhoto, SubjectMask, SubjectPhoto } from './datasets/types.js';
import type { Measure } from './measure.js';
import { placeFigures } from './metrics/place.js';
import { subjectCut, unusableCut, type SubjectCut } from './metrics/subject-cut.js';
import { RATIO_NAMES, RATIOS, windowOf, type Ratio } from './ratio-window.js';

type Sized<Photo> = Photo & { readonly size: Size };

/** A mean over those photos that have the value: two columns, the value and whether it is there. */
interface PartialMean {
  readonly id: string;
  readonly label: string;
  readonly group: string;
  readonly better: Measure['better'];
}

/** Each value over all photos, then over those of each ratio. */
function byRatio(means: readonly PartialMean[]): Measure[] {
  const share = (sum: number, n: number): number => (n > 0 ? sum / n : NaN);
  const at = (value: number, ratio: number): number => 2 * (value * RATIO_NAMES.length + ratio);
  return means.flatMap(({ id, label, group, better }, value): Measure[] => [
    {
      id,
      label,
      group,
      better,
      combine: (sums) => {
        const ratios = RATIO_NAMES.map((_, r) => at(value, r));
        return share(sumOf(ratios.map((i) => sums[i]!)), sumOf(ratios.map((i) => sums[i + 1]!)));
      },
    },
    ...RATIO_NAMES.map((name, r): Measure => ({
      id: `${id}.${name}`,
      label: name,
      group: `${group}, by ratio`,
      better,
      combine: (sums) => share(sums[at(value, r)]!, sums[at(value, r) + 1]!),
    })),
  ]);
}

function row(aspect: Ratio, values: readonly (number | boolean | undefined)[]): number[] {
  return values.flatMap((value) =>
    RATIO_NAMES.flatMap((name) => (name === aspect && value !== undefined ? [Number(value), 1] : [0, 0])),
  );
}

export const SUBJECT_MEASURES = byRatio([
  { id: 'cut', label: 'subject cut', group: 'Subject cut though avoidable', better: 'lower' },
  { id: 'lost', label: 'subject lost', group: 'Share lost of what could be held', better: 'lower' },
  { id: 'size', label: 'size', group: 'Size against the largest crop of the ratio', better: 'higher' },
]);

export function subjectRow({ mask, aspect, size }: Sized<SubjectPhoto>, crop: Box | undefined): number[] {
  const { isCut, lost, size: area }: SubjectCut = crop ? subjectCut(mask, crop, size) : unusableCut(mask, size, aspect);
  return row(aspect, [isCut, lost, area]);
}

export const PLACES_MEASURES = byRatio([
  { id: 'bad', label: 'undeliverable', group: 'Nearest to a place called undeliverable', better: 'lower' },
  { id: 'off', label: 'off', group: 'Distance to the nearer of best and second', better: 'lower' },
  { id: 'best', label: 'best', group: 'Nearest to the best place', better: 'higher' },
]);

export function placesRow(photo: Sized<PlacesPhoto>, crop: Box | undefined): number[] {
  const { isBad, off, isBest } = placeFigures(photo, crop);
  return row(photo.aspect, [isBad, off, isBest]);
}

/** Around the mask, in label space. */
export function subjectBox({ size: grid, isSubject }: SubjectMask, { width, height }: Size): Box {
  let [left, top, right, bottom] = [grid.width, grid.height, 0, 0];
  isSubject.forEach((value, i) => {
    if (value === 0) return;
    const [x, y] = [i % grid.width, Math.floor(i / grid.width)];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
  });
  const [perX, perY] = [width / grid.width, height / grid.height];
  return [left * perX, top * perY, right * perX, bottom * perY];
}

/** The largest crop of the ratio at a judged place, in label space. */
export function judgedBox({ aspect, size }: Sized<PlacesPhoto>, place: number): Box {
  const window = windowOf(size, RATIOS[aspect]);
  const [x, y] = [(1 - window.width) * place, (1 - window.height) * place];
  return [x * size.width, y * size.height, (x + window.width) * size.width, (y + window.height) * size.height];
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
