import { counted } from '../../base/counted.js';
import { preferenceRate, type PreferenceRate } from '../../base/intervals.js';
import { intersectionOverUnion, type Box } from '../../base/geometry.js';
import { meanInterval } from '../../base/student-t.js';

/** One choice, by an adapter that does not know it: what its owner chose, what the model cropped before, and what it crops now. */
export interface Judged {
  readonly id: string;
  readonly chosen: Box;
  readonly before: Box;
  readonly after: Box;
}

export interface TasteFigures {
  readonly nPhotos: number;
  /** Mean IoU with the choices. */
  readonly before: number;
  readonly after: number;
  /** Its 95 % interval over the photos, by Student's t. */
  readonly gain: { readonly value: number; readonly low: number; readonly high: number };
  /** Of the photos whose crop is nearer to the choice than before, or farther; equally near ones say nothing. */
  readonly nearer: PreferenceRate & { readonly nSame: number };
  readonly verdict: 'helped' | 'worse' | 'cannot tell';
}

/** A change of IoU below this is none: the crop is the same but for a pixel. */
const SAME_BY = 1e-3;

/** How much nearer to its owner's the crops are. At least one photo. */
export function tasteFigures(judged: readonly Judged[]): TasteFigures {
  const rows = judged.map(({ chosen, before, after }) => ({
    before: intersectionOverUnion(before, chosen),
    after: intersectionOverUnion(after, chosen),
  }));
  const gains = rows.map(({ before, after }) => after - before);
  const { low, high } = meanInterval(gains);
  const nNearer = gains.filter((gain) => gain > SAME_BY).length;
  const nFarther = gains.filter((gain) => gain < -SAME_BY).length;
  return {
    nPhotos: rows.length,
    before: mean(rows.map(({ before }) => before)),
    after: mean(rows.map(({ after }) => after)),
    gain: { value: mean(gains), low, high },
    nearer: { ...preferenceRate(nNearer, nFarther), nSame: rows.length - nNearer - nFarther },
    verdict: low > 0 ? 'helped' : high < 0 ? 'worse' : 'cannot tell',
  };
}

/** The figures in plain words; the last line is the verdict. */
export function tasteText({ nPhotos, before, after, gain, nearer, verdict }: TasteFigures): string {
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  const share =
    nearer.nJudged === 0
      ? 'no crop changed'
      : `nearer to yours in ${percent(nearer.rate)} of the ${nearer.nJudged} that changed ` +
        `[${percent(nearer.low)}, ${percent(nearer.high)}]`;
  return [
    `on ${counted(nPhotos, 'choice')}, each by an adapter that does not know it: ${share}`,
    `mean IoU with your crop ${before.toFixed(3)} before, ${after.toFixed(3)} now: ` +
      `${gain.value >= 0 ? '+' : ''}${gain.value.toFixed(3)} [${gain.low.toFixed(3)}, ${gain.high.toFixed(3)}]`,
    verdict === 'cannot tell'
      ? `From ${counted(nPhotos, 'choice')} it cannot be told whether this helped.`
      : VERDICTS[verdict],
    '',
  ].join('\n');
}

const VERDICTS: Readonly<Record<Exclude<TasteFigures['verdict'], 'cannot tell'>, string>> = {
  helped: 'This helped: the crops are nearer to yours.',
  worse: 'This made it worse: do not use the adapter.',
};

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
