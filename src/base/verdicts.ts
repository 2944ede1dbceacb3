/** What a model that is asked so says of the photo itself: best as it is, better cropped, or no good either way. */
export const VERDICTS = ['keep', 'refine', 'reject'] as const;
export type Verdict = (typeof VERDICTS)[number];
