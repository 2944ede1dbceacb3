import { csv } from '../../base/csv.js';
import type { Box } from '../../base/geometry.js';
import { majorityOf, type KnownJudgement } from './results.js';

/** What can be had of a study's judgements. */
export const EXPORT_FORMS = ['jsonl', 'csv', 'pairs', 'choices'] as const;
export type ExportForm = (typeof EXPORT_FORMS)[number];

/** A judgement as it is handed on: nothing of it needs the study's file. */
interface JudgementLine {
  /** From 1. */
  readonly judge: number;
  readonly photo: string;
  readonly target: string;
  readonly left: string;
  readonly leftBox: Box;
  readonly right: string;
  readonly rightBox: Box;
  readonly answer: string;
  /** The preferred method, or `tie`. */
  readonly preferred: string;
  readonly isCheck: boolean;
  readonly tookMs: number;
  readonly at: string;
}

/**
 * - `jsonl` and `csv`: every judgement, attention checks too.
 * - `pairs`: own labels for `train export`: of each pair that most judges agree on, the preferred crop and the other.
 * - `choices`: a choices file: of each photo and target the crop that won most of its pairs and lost none, and what it won against.
 */
export function exportText(form: ExportForm, judgements: readonly KnownJudgement[]): string {
  switch (form) {
    case 'jsonl':
      return jsonLines(judgements.map(judgementLine));
    case 'csv': {
      const rows = judgements.map(judgementLine).map((line) => Object.values(line).map(cellOf));
      return csv([CSV_HEAD, ...rows]);
    }
    case 'pairs':
      return jsonLines([...verdictsByPhoto(judgements).values()].map(trainingLine));
    case 'choices':
      return jsonLines([...verdictsByPhoto(judgements).values()].flatMap(choiceLine));
  }
}

const CSV_HEAD: readonly (keyof JudgementLine)[] = [
  ...(['judge', 'photo', 'target', 'left', 'leftBox', 'right', 'rightBox'] as const),
  ...(['answer', 'preferred', 'isCheck', 'tookMs', 'at'] as const),
];

function judgementLine({ judge, of, isALeft, answer, preference, isCheck, tookMs, at }: KnownJudgement): JudgementLine {
  const [left, right] = isALeft ? [of.a, of.b] : [of.b, of.a];
  return {
    judge: judge + 1,
    photo: of.name,
    target: of.target,
    left: left.method,
    leftBox: left.box,
    right: right.method,
    rightBox: right.box,
    answer,
    preferred: preference === 'tie' ? 'tie' : of[preference].method,
    isCheck,
    tookMs,
    at,
  };
}

/** What the judges say of a pair together. */
interface Verdict {
  readonly of: KnownJudgement['of'];
  readonly chosen: Box;
  readonly rejected: Box;
}

/** Pairs that most judges agree on, by photo and target. */
function verdictsByPhoto(judgements: readonly KnownJudgement[]): Map<string, Verdict[]> {
  const byPair = new Map<string, KnownJudgement[]>();
  for (const each of judgements) {
    if (!each.isCheck) byPair.set(each.pair, [...(byPair.get(each.pair) ?? []), each]);
  }
  const byPhoto = new Map<string, Verdict[]>();
  for (const each of byPair.values()) {
    const preferred = majorityOf(each);
    if (preferred === 'tie') continue;
    const { of } = each[0]!;
    const [chosen, rejected] = preferred === 'a' ? [of.a.box, of.b.box] : [of.b.box, of.a.box];
    const key = JSON.stringify([of.path, of.target]);
    byPhoto.set(key, [...(byPhoto.get(key) ?? []), { of, chosen, rejected }]);
  }
  return byPhoto;
}

/** A line of `tasteLineSchema` (src/train/sources/labels-file.ts). */
function trainingLine(verdicts: readonly Verdict[]): object {
  const { path, name, target } = verdicts[0]!.of;
  return {
    photo: path,
    id: target === 'free' ? name : `${name} ${target}`,
    ...aspectOf(target),
    pairs: verdicts.map(({ chosen, rejected }) => ({ chosen, rejected })),
  };
}

/** A line of `choiceSchema` (src/batch/choices.ts); none where every crop lost to another. */
function choiceLine(verdicts: readonly Verdict[]): object[] {
  const { path, target, size } = verdicts[0]!.of;
  const wins = new Map<string, Box[]>();
  for (const { chosen, rejected } of verdicts) wins.set(chosen.join(), [...(wins.get(chosen.join()) ?? []), rejected]);
  const lost = new Set(verdicts.map(({ rejected }) => rejected.join()));
  const [winner] = [...wins].filter(([box]) => !lost.has(box)).sort(([, a], [, b]) => b.length - a.length);
  if (!winner) return [];
  const box = verdicts.find(({ chosen }) => chosen.join() === winner[0])!.chosen;
  const ofTarget = target.includes('x') ? { size: target } : aspectOf(target);
  const photo = { widthPx: size.width, heightPx: size.height };
  return [{ path, ...ofTarget, box, photo, by: 'picked', offered: winner[1], origin: 'study' }];
}

/** Of a size the ratio, which is what a crop is trained for. */
function aspectOf(target: string): { readonly aspect?: string } {
  return target === 'free' ? {} : { aspect: target.replace('x', ':') };
}

function cellOf(value: JudgementLine[keyof JudgementLine]): string | number {
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'object' ? value.join(' ') : value;
}

function jsonLines(lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
