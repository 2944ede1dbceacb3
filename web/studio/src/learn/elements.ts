// The ten elements of composition, in their canonical order: what each is, how the rules find it and how a model says it.
// The thresholds are those of src/engines/rules/elements.ts.
export interface ElementText {
  readonly kind: string;
  readonly name: string;
  readonly is: string;
  readonly rules: string;
  /** In the plain style of answers, and what the numbers are. */
  readonly said: string;
  readonly numbers: string;
}

const BOX = { said: '{"type": "…", "box": [x1, y1, x2, y2]}', numbers: 'the box of the subject' };
const LINE = { said: '{"type": "…", "line": [x1, y1, x2, y2]}', numbers: 'the two ends of the line' };

export const ELEMENTS: readonly ElementText[] = [
  {
    kind: 'rule_of_thirds',
    name: 'rule of thirds',
    is: 'The subject lies on a line that parts the photo in thirds.',
    rules:
      'A subject is looked for by weighed boxes over maps of saliency, colour and edges. Its centre is more than 14 % of a side away from the photo’s, which is nearer a third than a golden section.',
    ...BOX,
  },
  {
    kind: 'center',
    name: 'centre',
    is: 'The subject lies in the middle.',
    rules: 'The centre of the subject’s box is less than 9 % of a side away from the photo’s, both ways.',
    ...BOX,
  },
  {
    kind: 'golden_ratio',
    name: 'golden ratio',
    is: 'The subject lies on a golden section: 0.382 from one side, 0.618 from the other.',
    rules: 'The centre of the subject’s box is between 9 and 14 % of a side away from the photo’s.',
    ...BOX,
  },
  {
    kind: 'horizontal',
    name: 'horizontal',
    is: 'A level line, as the horizon, carries the photo.',
    rules:
      'The strongest long level line that parts two unlike bands, as sky and sea; without one, a level line over 45 % of the width.',
    ...LINE,
  },
  {
    kind: 'vertical',
    name: 'vertical',
    is: 'Upright lines, as trunks and columns, carry the photo.',
    rules: 'Up to two lines within 6° of upright over 45 % of the height, and not at the photo’s very sides.',
    ...LINE,
  },
  {
    kind: 'diagonal',
    name: 'diagonal',
    is: 'A slanting line leads through the photo.',
    rules: 'Up to two lines at 17 to 73°, longer than a third of the photo’s diagonal.',
    ...LINE,
  },
  {
    kind: 'symmetric',
    name: 'symmetric',
    is: 'Two halves mirror each other.',
    rules: 'The halves on both sides of an axis, upright or level, correlate at 0.62 or more.',
    ...LINE,
    numbers: 'the two ends of the axis',
  },
  {
    kind: 'curved',
    name: 'curved',
    is: 'A curve, as of a river or a road, leads the eye.',
    rules: 'The longest smooth bent edge, of at least 0.35 of the photo’s diagonal.',
    said: '{"type": "curved", "points": [[x, y], …]}',
    numbers: '3 to 12 points along it',
  },
  {
    kind: 'triangle',
    name: 'triangle',
    is: 'Lines or subjects make a triangle.',
    rules: 'The largest triangle that three of the longest lines make, with edges along more than 60 % of its outline.',
    said: '{"type": "triangle", "points": [[x, y], [x, y], [x, y]]}',
    numbers: 'its corners',
  },
  {
    kind: 'vanishing_point',
    name: 'vanishing point',
    is: 'Lines run together to one point in the depth.',
    rules: 'A point on which more than half of the length of all slanted lines agrees.',
    said: '{"type": "vanishing_point", "lines": [[x, y, x2, y2], …]}',
    numbers: '2 to 4 lines from it',
  },
];
