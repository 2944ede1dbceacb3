import { intersectionOverUnion, type Box, type Size } from '../../base/geometry.js';
import type { Element } from '../../base/schema.js';
import { formatAspect, type Target } from '../../crop/target.js';
import type { CandidateLimits, ProposedBox } from '../../engines/limits.js';
import type { ProposalRequest } from '../../vlm/propose/propose.js';
import { shuffled, wholeBetween, type Lots } from '../lots.js';
import type { RatedBox } from '../sources/types.js';
import type { Answer, ConversationWriter, Turn, WrittenConversation } from '../written-conversation.js';
import { distinctWithin, fitCandidate } from './fit-candidates.js';
import { reasonIn } from './reason.js';

/** Crops that overlap by this much are not worth a place each in a list, while there are others; as the rules pick them. */
const SAME_IOUS = [0.85, 0.93, 0.97] as const;
/** A pair nearer than this teaches nothing but pixels. */
const PAIR_IOU = 0.93;

/** What people said of a photo, in the coordinates of a model's answers. */
export interface FramedTaste {
  /** The image the model sees. */
  readonly frame: Size;
  readonly limits: CandidateLimits;
  readonly target: Target;
  /** As `canonicalElements` gives them; at least one. */
  readonly elements: readonly Element[];
  readonly crops: readonly RatedBox[];
  readonly pairs: readonly { readonly chosen: Box; readonly rejected: Box }[];
  /** What a model proposes by itself, and which of it it chooses. */
  readonly own: readonly Box[];
  readonly ownBest?: Box;
  /** Nobody cropped it, and its composition was labelled: only the analysis is to be learned. */
  readonly isAnalysisOnly: boolean;
}

export interface RecordSettings {
  /** Candidates in a list. */
  readonly count: number;
  /** Ratings this much below the best are not what is to be proposed. */
  readonly ratingGap: number;
  readonly kinds: readonly PairKind[];
}

/** Which answer a pair prefers: the one that proposes the crop, or the one that decides for it. */
export const PAIR_KINDS = ['proposal', 'decision'] as const;
export type PairKind = (typeof PAIR_KINDS)[number];

export interface SftRecordText {
  readonly turns: readonly Turn[];
  readonly system?: string;
  /** For people: the list as proposed, and which of it is the best. */
  readonly shown: { readonly candidates: readonly Box[]; readonly best?: number };
}

export interface DpoRecordText {
  readonly kind: PairKind;
  readonly turns: readonly Turn[];
  readonly system?: string;
  readonly chosen: Answer;
  readonly rejected: Answer;
  readonly shown: { readonly chosen: Box; readonly rejected: Box };
}

export interface PhotoRecords {
  readonly sft: SftRecordText | undefined;
  readonly dpo: readonly DpoRecordText[];
  /** Pairs that the product's answers cannot tell apart, or cannot say at all. */
  readonly nPairsUnusable: number;
}

/** The conversations about one photo. */
export async function photoRecords(
  taste: FramedTaste,
  settings: RecordSettings,
  writer: ConversationWriter,
  lots: Lots,
): Promise<PhotoRecords> {
  const dpo: DpoRecordText[] = [];
  let nPairsUnusable = 0;
  for (const given of taste.pairs) {
    const pair = fitPair(given, taste.limits);
    if (!pair) {
      nPairsUnusable++;
      continue;
    }
    for (const kind of settings.kinds) {
      const record = await (kind === 'decision' ? decisionPair : proposalPair)(pair, taste, settings, writer, lots);
      if (record) dpo.push(record);
    }
  }
  return { sft: await sftRecord(taste, settings, writer, lots), dpo, nPairsUnusable };
}

interface Pair {
  readonly chosen: Box;
  readonly rejected: Box;
}

function fitPair({ chosen, rejected }: Pair, limits: CandidateLimits): Pair | undefined {
  const pair = { chosen: fitCandidate(chosen, limits), rejected: fitCandidate(rejected, limits) };
  if (!pair.chosen || !pair.rejected) return undefined;
  const { chosen: better, rejected: worse } = pair;
  if (intersectionOverUnion(better, worse) >= PAIR_IOU) return undefined;
  return distinct([better, worse], limits).length === 2 ? { chosen: better, rejected: worse } : undefined;
}

/** Highly rated crops, best first, filled up with what a model proposes; the best is the decision. */
async function sftRecord(
  taste: FramedTaste,
  { count, ratingGap }: RecordSettings,
  writer: ConversationWriter,
  lots: Lots,
): Promise<SftRecordText | undefined> {
  const { limits, own } = taste;
  const rated = ratedInLimits(taste).filter(({ isDrawn }) => !isDrawn);
  const best = rated[0];
  if (!best) return taste.isAnalysisOnly ? analysisRecord(taste, writer) : undefined;
  const good = rated.filter(({ rating }) => rating >= best.rating - ratingGap).map(({ box }) => box);
  const candidates = distinct(apart([...good, ...fitting(own, limits)], count), limits);
  // Not always in the order proposed, or "1" would be the answer whatever is in the list.
  const turn = lots() < 0.5 ? 0 : wholeBetween(0, candidates.length - 1, lots);
  const written = await writer.write({
    ...asTarget(taste, candidates, writer),
    listOrder: candidates.map((_, i) => (i + turn) % candidates.length),
    ...preferring(0, candidates, taste, writer),
  });
  return { ...systemOf(written), turns: written.turns, shown: { candidates, best: 0 } };
}

/** The whole photo stands in for crops, and is not said. */
async function analysisRecord(taste: FramedTaste, writer: ConversationWriter): Promise<SftRecordText> {
  const { width, height } = taste.limits.frame;
  const whole: Box = [0, 0, width, height];
  const free = { ...taste, target: {}, limits: { frame: taste.limits.frame, minSize: 0 } };
  const written = await writer.write({ ...asTarget(free, [whole], writer), ...preferring(0, [whole], free, writer) });
  return { ...systemOf(written), turns: written.turns.slice(0, 2), shown: { candidates: [] } };
}

/** The same list, decided for the one and for the other. */
async function decisionPair(
  { chosen, rejected }: Pair,
  taste: FramedTaste,
  { count }: RecordSettings,
  writer: ConversationWriter,
  lots: Lots,
): Promise<DpoRecordText | undefined> {
  const others = shuffled(worseThan(chosen, taste), lots);
  const listed = distinct(apart([chosen, rejected, ...others], count, 2), taste.limits);
  const candidates = shuffled(listed, lots);
  const write = async (box: Box): Promise<WrittenConversation> =>
    writer.write({
      ...asTarget(taste, candidates, writer),
      ...preferring(candidates.indexOf(box), candidates, taste, writer),
    });
  const [better, worse] = [await write(chosen), await write(rejected)];
  return pairRecord('decision', better, worse, 5, { chosen, rejected });
}

/** A list that begins with the one, and one as long that begins with the other. */
async function proposalPair(
  { chosen, rejected }: Pair,
  taste: FramedTaste,
  { count }: RecordSettings,
  writer: ConversationWriter,
  lots: Lots,
): Promise<DpoRecordText | undefined> {
  const [upper, lower] = companions(taste, lots);
  const better = distinct(apart([chosen, ...upper], count), taste.limits);
  const worse = distinct(apart([rejected, ...lower], count), taste.limits);
  const n = Math.min(better.length, worse.length);
  const write = async (list: readonly Box[]): Promise<WrittenConversation> =>
    writer.write({ ...asTarget(taste, list, writer), ...preferring(0, list, taste, writer) });
  const [first, second] = [await write(better.slice(0, n)), await write(worse.slice(0, n))];
  return pairRecord('proposal', first, second, 3, { chosen, rejected });
}

/** What goes along in the lists of a proposal pair: good crops with the chosen one, bad ones with the rejected. */
function companions(taste: FramedTaste, lots: Lots): [upper: Box[], lower: Box[]] {
  const { own, limits } = taste;
  const boxes = ratedInLimits(taste).map(({ box }) => box);
  const third = Math.floor(boxes.length / 3);
  if (third > 0) return [shuffled(boxes.slice(0, third), lots), shuffled(boxes.slice(-third), lots)];
  const others = fitting(own, limits);
  return [others, others];
}

/** Crops that are no better than this one, as far as anyone said. */
function worseThan(chosen: Box, taste: FramedTaste): Box[] {
  const rated = ratedInLimits(taste);
  const rating = rated.find(({ box }) => box.join() === chosen.join())?.rating ?? Infinity;
  return [...rated.filter((crop) => crop.rating < rating).map(({ box }) => box), ...fitting(taste.own, taste.limits)];
}

function ratedInLimits({ crops, limits }: FramedTaste): RatedBox[] {
  return crops
    .flatMap((crop) => {
      const box = fitCandidate(crop.box, limits);
      return box ? [{ ...crop, box }] : [];
    })
    .sort((a, b) => b.rating - a.rating);
}

function fitting(boxes: readonly Box[], limits: CandidateLimits): Box[] {
  return boxes.map((box) => fitCandidate(box, limits)).filter((box) => box !== undefined);
}

/**
 * Up to `count` boxes that differ clearly from all before them, and where that leaves too few, ones that differ less; the
 * first `kept` stay whatever they are.
 */
function apart(boxes: readonly Box[], count: number, kept = 1): Box[] {
  const list = boxes.slice(0, kept);
  for (const limit of SAME_IOUS) {
    for (const box of boxes) {
      if (list.length >= count) return list;
      if (list.every((other) => intersectionOverUnion(box, other) < limit)) list.push(box);
    }
  }
  return list;
}

function distinct(boxes: readonly Box[], limits: CandidateLimits): Box[] {
  return distinctWithin(
    boxes.map((box) => ({ box })),
    limits,
  ).map(({ box }) => box);
}

function asTarget(
  { frame, limits, target, elements }: FramedTaste,
  boxes: readonly Box[],
  { profile }: ConversationWriter,
): {
  frame: Size;
  elements: readonly Element[];
  request: ProposalRequest;
  candidates: ProposedBox[];
} {
  const aspect = target.aspect && formatAspect(target.aspect);
  return {
    frame,
    elements,
    request: { count: boxes.length, limits, ...(aspect ? { aspect } : {}) },
    candidates: boxes.map((box) => ({ boxInFrame: box, why: reasonIn(profile, box, limits.frame, elements) })),
  };
}

function preferring(
  best: number,
  boxes: readonly Box[],
  { limits, elements }: FramedTaste,
  { profile }: ConversationWriter,
): { preference: number[]; why: string } {
  return {
    preference: boxes.map((_, i) => (i === best ? 1 : 0)),
    why: reasonIn(profile, boxes[best]!, limits.frame, elements),
  };
}

/** Undefined where both say the same. */
function pairRecord(
  kind: PairKind,
  better: WrittenConversation,
  worse: WrittenConversation,
  answer: 3 | 5,
  shown: DpoRecordText['shown'],
): DpoRecordText | undefined {
  const [chosen, rejected] = [better.turns[answer], worse.turns[answer]];
  if (chosen.value === rejected.value) return undefined;
  return { kind, ...systemOf(better), turns: better.turns.slice(0, answer), chosen, rejected, shown };
}

function systemOf({ system }: WrittenConversation): { system?: string } {
  return system === undefined ? {} : { system };
}
