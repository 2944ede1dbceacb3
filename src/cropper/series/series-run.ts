import path from 'node:path';
import { defined } from '../../base/defined.js';
import { FramewrightError } from '../../base/errors.js';
import { boxesOf } from '../../faces/heads.js';
import { boxOfRect, boxOfSize, contains, unionOf, type Box, type Size } from '../../base/geometry.js';
import type { CropRect, CropResult } from '../../base/schema.js';
import type { Carried, Carry } from '../../crop/carry/carry.js';
import { carriedResult } from '../../crop/carry/carried-result.js';
import { commonCrop } from '../../crop/carry/common-crop.js';
import { composedResult } from '../../crop/carry/composed-result.js';
import { compositionOf } from '../../crop/carry/composition.js';
import { comparedBy, photoSubject, type PhotoSubject } from '../../crop/carry/photo-subject.js';
import { withCrop } from '../../crop/crop-result.js';
import type { CroppedPhoto } from '../../crop/pipeline.js';
import type { Straighten } from '../../crop/straighten-wish.js';
import { subjectBox } from '../../crop/subject.js';
import type { Target } from '../../crop/target.js';
import type { Photo } from '../../photo/decode.js';
import { turnPhoto } from '../../photo/turn/turn-photo.js';
import type { Turn } from '../../photo/turn/turn.js';
import { follow } from '../../registration/follow.js';
import { pyramidOf } from '../../registration/grey-picture.js';
import { after, inverse, movedBox, type Similarity } from '../../registration/similarity.js';
import type { Grouped, Look, Member, Series } from './group.js';
import { backToUpright, betweenStraight, turnOfResult } from './turned.js';

/** A photo of the run, by its place in it. */
export interface SeriesPhoto {
  /** As notes and results call it. */
  readonly name: string;
  readonly look: Look | undefined;
  /** What an earlier run made of it. */
  readonly known?: CroppedPhoto;
  /** Why it cannot be looked at. */
  readonly error?: unknown;
}

export interface CropHow {
  readonly carry?: Carry;
  readonly straighten?: Straighten;
}

/** Crops a photo of the run. */
export type CropNth = (index: number, how: CropHow) => Promise<CroppedPhoto>;

interface Led {
  readonly cropped: CroppedPhoto;
  /** How it was straightened. */
  readonly turn: Turn | undefined;
  /** From its pixels (of the straight photo, if it is) to those of each member that it lies over, as these are straightened. */
  readonly similarities: ReadonlyMap<number, Similarity>;
  /** Where some member does not show the same. */
  readonly subject?: PhotoSubject;
}

/** Crops photos so that the crops of a series are one: the lead by its engine, and the others as the lead. */
export class SeriesRun {
  readonly #photos: readonly SeriesPhoto[];
  readonly #crop: CropNth;
  readonly #signal: AbortSignal;
  readonly #unsure: Grouped['unsure'];
  /** By photo. */
  readonly #series = new Map<number, Series>();
  readonly #led = new Map<Series, Promise<Led>>();

  constructor(photos: readonly SeriesPhoto[], { series, unsure }: Grouped, crop: CropNth, signal: AbortSignal) {
    this.#photos = photos;
    this.#crop = crop;
    this.#signal = signal;
    this.#unsure = unsure;
    for (const each of series.map((one) => ledByKnown(one, photos))) {
      for (const index of photosOf(each)) this.#series.set(index, each);
    }
  }

  /** The crops of a photo. Any may be asked for first: its lead is cropped when it is first needed. */
  async cropsOf(index: number): Promise<CroppedPhoto> {
    const series = this.#series.get(index);
    try {
      return await this.#cropsOf(index, series);
    } finally {
      // The lead's photo is held with its crops.
      if (series) {
        this.#series.delete(index);
        if (!photosOf(series).some((each) => this.#series.has(each))) this.#led.delete(series);
      }
    }
  }

  async #cropsOf(index: number, series: Series | undefined): Promise<CroppedPhoto> {
    const { known, error } = this.#photos[index]!;
    if (error !== undefined) return Promise.reject(error);
    if (known) return known;
    if (!series) return this.#alone(index);
    if (index === series.lead) return (await this.#leadOf(series)).cropped;
    return this.#followed(
      series,
      series.members.find((member) => member.index === index)!,
    );
  }

  async #alone(index: number): Promise<CroppedPhoto> {
    const near = this.#unsure.get(index);
    if (near === undefined) return this.#crop(index, {});
    const note = `is like ${path.basename(this.#photos[near]!.name)}, and cannot be laid over it surely: it is cropped on its own`;
    return withNotes(await this.#crop(index, {}), note);
  }

  #leadOf(series: Series): Promise<Led> {
    const known = this.#led.get(series) ?? this.#lead(series);
    this.#led.set(series, known);
    return known;
  }

  async #lead(series: Series): Promise<Led> {
    const { known, look } = this.#photos[series.lead]!;
    const cropped = known ?? (await this.#crop(series.lead, {}));
    const [result] = cropped.results;
    const upright = look!.picture.photo;
    const turn = turnOfResult(result!, upright);
    const similarities = this.#similarities(series, result!, turn);
    const isMixed = series.members.some(({ alignment }) => !alignment);
    const subject = isMixed ? await this.#subjectOf(cropped, turn, known !== undefined) : undefined;
    const shown = series.members.flatMap(({ index }) => {
      const similarity = similarities.get(index);
      return similarity ? [movedBox(boxOfSize(this.#straightSize(index, turn)), inverse(similarity))] : [];
    });
    const settled = known ?? withCommonCrops(cropped, shown);
    const inSeries = this.#labelled(settled, series, { by: 'lead' });
    return { cropped: inSeries, turn, similarities, ...defined({ subject }) };
  }

  async #subjectOf({ photo, results }: CroppedPhoto, turn: Turn | undefined, isKnown: boolean): Promise<PhotoSubject> {
    // What an earlier run has cropped is here as its file has it.
    const straight = isKnown && turn ? await turnPhoto(photo, turn.angleDeg, this.#signal) : photo;
    return photoSubject(straight, results[0]!.heads, { signal: this.#signal });
  }

  /** How the lead lies over the others, where its subject is. */
  #similarities(series: Series, result: CropResult, turn: Turn | undefined): Map<number, Similarity> {
    const lead = pyramidOf(this.#photos[series.lead]!.look!.picture);
    const box = unionOf(headsOf(result)) ?? subjectBox(result.analysis);
    const upright = box && (turn ? movedBox(box, backToUpright(turn)) : box);
    const found = new Map<number, Similarity>();
    for (const { index, alignment } of series.members) {
      if (!alignment) continue;
      const { picture } = this.#photos[index]!.look!;
      const similarity = upright ? follow(lead, pyramidOf(picture), alignment, upright) : alignment.similarity;
      found.set(index, betweenStraight(similarity, turn, turnOfResult(result, picture.photo)));
    }
    return found;
  }

  #straightSize(index: number, turn: Turn | undefined): Size {
    const { photo } = this.#photos[index]!.look!.picture;
    const straighten = turn && { angleDeg: turn.angleDeg, applied: true };
    return turnOfResult(defined({ straighten }), photo)?.straight ?? photo;
  }

  async #followed(series: Series, member: Member): Promise<CroppedPhoto> {
    const name = path.basename(this.#photos[series.lead]!.name);
    let led: Led;
    try {
      led = await this.#leadOf(series);
    } catch {
      this.#signal.throwIfAborted();
      return this.#onItsOwn(series, member, `${name}, which leads its series, cannot be cropped`);
    }
    const hasAll = led.cropped.targets.every(({ error }) => error === undefined);
    if (!hasAll) {
      return this.#onItsOwn(
        series,
        member,
        `${name}, which leads its series, cannot be cropped to all that is asked for`,
      );
    }
    const straighten = led.turn?.angleDeg ?? 'off';
    const similarity = led.similarities.get(member.index);
    let by: 'registration' | 'subject' | 'own' = similarity ? 'registration' : 'subject';
    const cropped = await this.#crop(member.index, {
      ...(similarity ? { straighten } : {}),
      carry: async (ready, fit): Promise<Carried> => {
        const leading = (target: Target): CropResult => resultFor(led.cropped, target);
        if (similarity) {
          return {
            cropFor: (settled) =>
              carriedResult({ result: leading(settled.target), name, similarity }, ready, settled, fit),
          };
        }
        const subjects = comparedBy(
          led.subject!,
          await photoSubject(ready.photo, ready.heads && boxesOf(ready.heads), { signal: this.#signal }),
        );
        if (!subjects) {
          by = 'own';
          return { note: `is cropped on its own: what it or ${name} is of cannot be told surely enough to be alike` };
        }
        const [there, here] = subjects;
        return {
          cropFor: (settled) => {
            const { crop, engine } = leading(settled.target);
            const composition = compositionOf(boxOfRect(crop), there);
            return composedResult({ composition, ratio: crop, name, minSize: 0, engine }, here, ready, settled, fit);
          },
        };
      },
    });
    return this.#labelled(cropped, series, { by, ...defined({ likeness: member.alignment?.likeness }) });
  }

  async #onItsOwn(series: Series, { index }: Member, why: string): Promise<CroppedPhoto> {
    const own = withNotes(await this.#crop(index, {}), `is cropped on its own: ${why}`);
    return this.#labelled(own, series, { by: 'own' });
  }

  #labelled(
    cropped: CroppedPhoto,
    { lead, members }: Series,
    { by, likeness }: { readonly by: NonNullable<CropResult['series']>['by']; readonly likeness?: number },
  ): CroppedPhoto {
    const series = {
      lead: this.#photos[lead]!.name,
      nPhotos: members.length + 1,
      by,
      ...defined({ likeness: likeness === undefined ? undefined : Math.round(1000 * likeness) / 1000 }),
    };
    return withResults(cropped, (result) => ({ ...result, series }));
  }
}

/** Where a photo of it was cropped before, that one leads, so that what is done stays what the others are like. */
function ledByKnown(series: Series, photos: readonly SeriesPhoto[]): Series {
  const isKnown = ({ index }: Pick<Member, 'index'>): boolean => photos[index]!.known !== undefined;
  if (isKnown({ index: series.lead })) return series;
  const next = series.members.find((member) => member.alignment && isKnown(member)) ?? series.members.find(isKnown);
  if (!next) return series;
  const back = next.alignment && inverse(next.alignment.similarity);
  const seenFrom = ({ index, alignment }: Member): Member => {
    if (!alignment || !back) return { index };
    return { index, alignment: { ...alignment, similarity: after(back, alignment.similarity) } };
  };
  const others = series.members.filter((member) => member !== next).map(seenFrom);
  const first = { index: series.lead, ...(back && { alignment: { ...next.alignment, similarity: back } }) };
  return { lead: next.index, members: [first, ...others] };
}

/** The lead's crops, each in what the others show too. */
function withCommonCrops(cropped: CroppedPhoto, shown: readonly Box[]): CroppedPhoto {
  const { photo } = cropped;
  return withResults(cropped, (result, { aspect }) => {
    if (result.canvas || result.verdict === 'keep') return result;
    const keep = headsOf(result).filter((head) => contains(boxOfRect(result.crop), head));
    const crop = commonCrop(result.crop, shown, { photo, keep, ...defined({ aspect }) });
    const { x, y } = result.cameraFocus ?? {};
    const focus = x === undefined || y === undefined ? undefined : ([x, y] as const);
    return isSame(crop, result.crop) ? result : withCrop(result, crop, { photo, focus });
  });
}

function isSame(a: CropRect, b: CropRect): boolean {
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}

function headsOf({ heads = [] }: Pick<CropResult, 'heads'>): readonly Box[] {
  return heads;
}

function photosOf({ lead, members }: Series): number[] {
  return [lead, ...members.map(({ index }) => index)];
}

function resultFor({ targets }: CroppedPhoto, target: Target): CropResult {
  const found = targets.find((each) => each.target === target) ?? targets[0];
  if (!found?.result) throw new FramewrightError('INTERNAL', 'a lead has no crop for a target of its series');
  return found.result;
}

function withNotes(cropped: CroppedPhoto, note: string): CroppedPhoto {
  return withResults(cropped, (result) => ({ ...result, notes: [...(result.notes ?? []), note] }));
}

function withResults(cropped: CroppedPhoto, change: (result: CropResult, target: Target) => CropResult): CroppedPhoto {
  const targets = cropped.targets.map((outcome) =>
    outcome.result ? { ...outcome, result: change(outcome.result, outcome.target) } : outcome,
  );
  return { ...cropped, targets, results: targets.flatMap(({ result }) => (result ? [result] : [])) };
}

/** Of a photo that an earlier run has cropped. */
export function knownCrops(photo: Photo, results: readonly CropResult[], targets: readonly Target[]): CroppedPhoto {
  return {
    photo,
    results,
    targets: results.map((result, i) => ({ target: targets[i] ?? {}, result })),
    encoded: undefined,
  };
}
