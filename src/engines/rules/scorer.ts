import type { FeatureContext } from './feature-context.js';
import { boxFeatures, FEATURE_NAMES } from './features.js';
import type { UnitBox } from './grid.js';

/** A small perceptron over box features: two hidden layers of ReLU, one output. Row major, a row an output unit. */
export interface Network {
  readonly nHidden: readonly [number, number];
  readonly weights1: Float32Array;
  readonly bias1: Float32Array;
  readonly weights2: Float32Array;
  readonly bias2: Float32Array;
  readonly weights3: Float32Array;
  readonly bias3: number;
}

export interface Scorer {
  /** Of each feature over the fitting photos; features are standardised and clipped to ±`clip`. */
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
  readonly clip: number;
  /** Their log-probabilities are averaged. */
  readonly networks: readonly Network[];
  /** Divides the averaged log-probabilities before the final softmax. */
  readonly temperature: number;
}

/** Reads what `training/rules/fit.py` writes: base64 of little-endian float32 values in the order of `Scorer`. */
export function decodeScorer(stored: {
  readonly nFeatures: number;
  readonly nHidden: readonly [number, number];
  readonly nNetworks: number;
  readonly clip: number;
  readonly temperature: number;
  readonly float32: string;
}): Scorer {
  const bytes = Uint8Array.from(Buffer.from(stored.float32, 'base64'));
  const values = new Float32Array(bytes.buffer);
  let at = 0;
  const take = (n: number): Float32Array => values.subarray(at, (at += n));
  const [n1, n2] = stored.nHidden;
  const mean = take(stored.nFeatures);
  const deviation = take(stored.nFeatures);
  const networks = Array.from({ length: stored.nNetworks }, (): Network => ({
    nHidden: stored.nHidden,
    weights1: take(n1 * stored.nFeatures),
    bias1: take(n1),
    weights2: take(n2 * n1),
    bias2: take(n2),
    weights3: take(n2),
    bias3: take(1)[0]!,
  }));
  return { mean, deviation, clip: stored.clip, networks, temperature: stored.temperature };
}

function evaluate(network: Network, input: Float32Array, hidden: Float32Array): number {
  const [n1, n2] = network.nHidden;
  const nInput = input.length;
  for (let i = 0; i < n1; i++) {
    let sum = network.bias1[i]!;
    const row = i * nInput;
    for (let k = 0; k < nInput; k++) sum += network.weights1[row + k]! * input[k]!;
    hidden[i] = sum > 0 ? sum : 0;
  }
  let out = network.bias3;
  for (let j = 0; j < n2; j++) {
    let sum = network.bias2[j]!;
    for (let i = 0; i < n1; i++) sum += network.weights2[j * n1 + i]! * hidden[i]!;
    if (sum > 0) out += network.weights3[j]! * sum;
  }
  return out;
}

/** Log-softmax in place. */
function logSoftmax(values: Float64Array): void {
  const highest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (const value of values) sum += Math.exp(value - highest);
  const shift = highest + Math.log(sum);
  for (let i = 0; i < values.length; i++) values[i]! -= shift;
}

/**
 * Log-probability of each box to be the crop a person would choose among these, natural logarithm: networks averaged
 * over the photo and its mirror image.
 */
export function scoreBoxes(
  scorer: Scorer,
  contexts: { readonly plain: FeatureContext; readonly mirrored: FeatureContext },
  boxes: readonly UnitBox[],
): Float64Array {
  const nFeatures = FEATURE_NAMES.length;
  const total = new Float64Array(boxes.length);
  const features = new Float32Array(nFeatures);
  const hidden = new Float32Array(Math.max(...scorer.networks.map(({ nHidden }) => nHidden[0])));
  for (const side of ['plain', 'mirrored'] as const) {
    const byNetwork = scorer.networks.map(() => new Float64Array(boxes.length));
    boxes.forEach((box, b) => {
      const seen: UnitBox = side === 'plain' ? box : [1 - box[2], box[1], 1 - box[0], box[3]];
      boxFeatures(contexts[side], seen, features, 0);
      for (let f = 0; f < nFeatures; f++) {
        const value = (features[f]! - scorer.mean[f]!) / scorer.deviation[f]!;
        features[f] = value > scorer.clip ? scorer.clip : value < -scorer.clip ? -scorer.clip : value;
      }
      scorer.networks.forEach((network, n) => (byNetwork[n]![b] = evaluate(network, features, hidden)));
    });
    for (const values of byNetwork) {
      logSoftmax(values);
      for (let b = 0; b < values.length; b++) total[b]! += values[b]! / (2 * scorer.networks.length);
    }
  }
  for (let b = 0; b < total.length; b++) total[b]! /= scorer.temperature;
  logSoftmax(total);
  return total;
}
