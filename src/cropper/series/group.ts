import { setImmediate } from 'node:timers/promises';
import { pyramidOf, type GreyPicture, type Pyramid } from '../../registration/grey-picture.js';
import type { Alignment } from '../../registration/refine.js';
import { register } from '../../registration/register.js';
import { hasSameRatio, isNear, isSure, sureAlignment } from '../../registration/sure-alignment.js';

/** What groups photos to series. */
export interface Look {
  readonly picture: GreyPicture;
  /** By the camera's clock; undefined where the photo does not say. */
  readonly takenMs: number | undefined;
}

/** A photo of a series beside its lead. */
export interface Member {
  /** Among all photos. */
  readonly index: number;
  /** How the lead lies over it; undefined where it does not show the same. */
  readonly alignment?: Alignment;
}

export interface Series {
  /** Whose crop the others take over. */
  readonly lead: number;
  /** At least one. */
  readonly members: readonly Member[];
}

export interface Grouped {
  readonly series: readonly Series[];
  /** Photos that are like one taken just before, and cannot be laid over it surely: index by index. */
  readonly unsure: ReadonlyMap<number, number>;
}

/** Photos taken within so long of each other may be one series; a longer one goes on as long as each has a next one. */
const GAP_MS = 10_000;
/** Of photos that say no time, as many before in order. */
const REACH = 3;
/** Open series a photo is laid over, the last ones first. */
const MOST_OPEN = 4;

interface OpenSeries {
  readonly lead: number;
  readonly pyramid: Pyramid;
  readonly members: Member[];
  /** When its last photo was taken, or its place among those without a time. */
  last: number;
}

/**
 * Series of photos taken one soon after the other that show the same: the first of each leads. Photos that say when they
 * were taken are compared with those of the seconds before, the others with those just before them in order.
 *
 * @param looks undefined for photos that are cropped on their own
 */
export async function groupBursts(looks: readonly (Look | undefined)[], signal: AbortSignal): Promise<Grouped> {
  const known = looks.flatMap((look, index) => (look ? [{ ...look, index }] : []));
  const timed = known.filter(({ takenMs }) => takenMs !== undefined).sort((a, b) => a.takenMs! - b.takenMs!);
  const untimed = known.filter(({ takenMs }) => takenMs === undefined);
  const unsure = new Map<number, number>();
  const series = [
    ...(await grouped(
      timed.map((look) => ({ ...look, at: look.takenMs! })),
      GAP_MS,
      unsure,
      signal,
    )),
    ...(await grouped(
      untimed.map((look, at) => ({ ...look, at })),
      REACH,
      unsure,
      signal,
    )),
  ];
  return { series, unsure };
}

async function grouped(
  looks: readonly { readonly picture: GreyPicture; readonly index: number; readonly at: number }[],
  reach: number,
  unsure: Map<number, number>,
  signal: AbortSignal,
): Promise<Series[]> {
  const all: Series[] = [];
  let open: OpenSeries[] = [];
  for (const { picture, index, at } of looks) {
    await setImmediate();
    signal.throwIfAborted();
    open = open.filter(({ last }) => at - last <= reach);
    const pyramid = pyramidOf(picture);
    let near: number | undefined;
    let joined: OpenSeries | undefined;
    for (const each of open.slice(-MOST_OPEN).reverse()) {
      if (!hasSameRatio(each.pyramid.photo, picture.photo)) continue;
      const alignment = register(each.pyramid, pyramid);
      if (isSure(alignment, each.pyramid.photo, picture.photo)) {
        each.members.push({ index, alignment });
        each.last = at;
        joined = each;
        break;
      }
      if (isNear(alignment)) near = each.lead;
    }
    if (joined) {
      open = [...open.filter((each) => each !== joined), joined];
      continue;
    }
    if (near !== undefined) unsure.set(index, near);
    const members: Member[] = [];
    open.push({ lead: index, pyramid, members, last: at });
    // Without the pyramid, which is large.
    all.push({ lead: index, members });
  }
  return all.filter(({ members }) => members.length > 0);
}

/**
 * A series a folder, whatever its photos show: its first photo leads, and those that show the same are laid over it.
 *
 * @param folders one a photo
 */
export async function groupFolders(
  looks: readonly (Look | undefined)[],
  folders: readonly string[],
  signal: AbortSignal,
): Promise<Grouped> {
  const all = new Map<string, { readonly lead: number; readonly pyramid: Pyramid; readonly members: Member[] }>();
  for (const [index, look] of looks.entries()) {
    await setImmediate();
    signal.throwIfAborted();
    if (!look) continue;
    const pyramid = pyramidOf(look.picture);
    const known = all.get(folders[index]!);
    if (!known) {
      all.set(folders[index]!, { lead: index, pyramid, members: [] });
      continue;
    }
    const alignment = sureAlignment(known.pyramid, pyramid);
    known.members.push({ index, ...(alignment && { alignment }) });
  }
  const series = [...all.values()].filter(({ members }) => members.length > 0);
  return { series: series.map(({ lead, members }) => ({ lead, members })), unsure: new Map() };
}
