import type { PhotoAnalysis } from './analysis.js';
import type { UnitBox } from './scoring/grid.js';

const SIDES = ['left', 'top', 'right', 'bottom'] as const;
const NEAR = 0.06;
/** Saliency of a cut strip over the photo's mean under which we call it empty. */
const EMPTY_DENSITY = 0.45;

/** One sentence on what a box does with the photo, from what was measured on it. */
export function explain(box: UnitBox, analysis: PhotoAnalysis): string {
  const parts = [placeOf(analysis.subject.box, box)];
  if (analysis.horizon) {
    const y = (analysis.horizon.y - box[1]) / (box[3] - box[1]);
    if (Math.abs(y - 1 / 3) < NEAR) parts.push('puts the horizon on the upper third');
    else if (Math.abs(y - 2 / 3) < NEAR) parts.push('puts the horizon on the lower third');
  }
  const empty = emptySides(box, analysis);
  if (empty.length > 0) parts.push(`drops the quiet ${joined(empty)}`);
  const sentence = joined(parts);
  return sentence[0]!.toUpperCase() + sentence.slice(1) + '.';
}

function joined(parts: readonly string[]): string {
  return parts.length < 2 ? parts[0]! : `${parts.slice(0, -1).join(', ')} and ${parts[parts.length - 1]!}`;
}

function placeOf(subject: UnitBox, box: UnitBox): string {
  const whole = subject[0] >= box[0] && subject[1] >= box[1] && subject[2] <= box[2] && subject[3] <= box[3];
  const cx = ((subject[0] + subject[2]) / 2 - box[0]) / (box[2] - box[0]);
  const verb = whole ? 'keeps the subject whole' : 'closes in on the subject';
  if (Math.abs(cx - 0.5) < NEAR) return `${verb} in the middle`;
  if (Math.abs(cx - 1 / 3) < NEAR) return `${verb} on the left third`;
  if (Math.abs(cx - 2 / 3) < NEAR) return `${verb} on the right third`;
  return cx < 0.5 ? `${verb} left of the middle` : `${verb} right of the middle`;
}

function emptySides(box: UnitBox, { maps }: PhotoAnalysis): string[] {
  const { width, height, data } = maps.saliency;
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length + 1e-6;
  const strips: UnitBox[] = [
    [0, 0, box[0], 1],
    [0, 0, 1, box[1]],
    [box[2], 0, 1, 1],
    [0, box[3], 1, 1],
  ];
  return SIDES.filter((_, s) => {
    const [x1, y1, x2, y2] = strips[s]!.map((value, i) => Math.round(value * (i % 2 === 0 ? width : height))) as [
      number,
      number,
      number,
      number,
    ];
    if ((x2 - x1) * (y2 - y1) < 0.04 * data.length) return false;
    let sum = 0;
    for (let y = y1; y < y2; y++) for (let x = x1; x < x2; x++) sum += data[y * width + x]!;
    return sum / ((x2 - x1) * (y2 - y1)) < EMPTY_DENSITY * mean;
  });
}
