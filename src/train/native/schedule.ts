/** How far a step of training goes. */
export interface Schedule {
  /** The rate at its highest. */
  readonly learningRate: number;
  readonly nSteps: number;
  /** Steps on the way up to it; afterwards it falls to zero along half a cosine. */
  readonly nWarmup: number;
}

/** The rate of a step, counted from 0. */
export function learningRateAt(step: number, { learningRate, nSteps, nWarmup }: Schedule): number {
  if (step < nWarmup) return (learningRate * (step + 1)) / nWarmup;
  const progress = (step - nWarmup) / Math.max(1, nSteps - nWarmup);
  return learningRate * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress)));
}
