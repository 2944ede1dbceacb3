export interface Equation {
  readonly a: number;
  readonly b: number;
  readonly value: number;
  readonly weight: number;
}

export interface Fit {
  readonly a: number;
  readonly b: number;
  /** Standard error of `a`, from how far the equations are from holding. */
  readonly errorOfA: number;
}

/** Least squares of `a * fit.a + b * fit.b = value`; where no equation has a `b`, it is 0. Undefined where too few differ. */
export function weightedFit(equations: readonly Equation[]): Fit | undefined {
  let [aa, ab, bb, av, bv, total] = [0, 0, 0, 0, 0, 0];
  for (const { a, b, value, weight } of equations) {
    aa += weight * a * a;
    ab += weight * a * b;
    bb += weight * b * b;
    av += weight * a * value;
    bv += weight * b * value;
    total += weight;
  }
  if (aa === 0) return undefined;
  const det = aa * bb - ab * ab;
  if (bb > 0 && det < 1e-9 * aa * bb) return undefined;
  const a = bb > 0 ? (bb * av - ab * bv) / det : av / aa;
  const b = bb > 0 ? (aa * bv - ab * av) / det : 0;
  const squares = equations.reduce((sum, each) => sum + each.weight * (each.a * a + each.b * b - each.value) ** 2, 0);
  const nFree = Math.max(1, equations.length - (bb > 0 ? 2 : 1));
  // The weights count as if their mean were one observation.
  const variance = (squares / total) * (equations.length / nFree);
  const meanWeight = total / equations.length;
  const inverse = bb > 0 ? bb / det : 1 / aa;
  return { a, b, errorOfA: Math.sqrt(variance * inverse * meanWeight) };
}
