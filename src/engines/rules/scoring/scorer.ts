import type { FeatureContext } from './feature-context.js';
import { boxFeatures, FEATURE_NAMES, MIRROR } from './features.js';
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

/** Several networks' first layers as one matrix, its rows a multiple of four. */
interface FirstLayer {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

function firstLayer(networks: readonly Network[], nFeatures: number): FirstLayer {
  const nRows = networks.reduce((sum, network) => sum + network.nHidden[0], 0);
  const weights = new Float32Array(4 * Math.ceil(nRows / 4) * nFeatures);
  const bias = new Float32Array(4 * Math.ceil(nRows / 4));
  let row = 0;
  for (const network of networks) {
    weights.set(network.weights1, row * nFeatures);
    bias.set(network.bias1, row);
    row += network.nHidden[0];
  }
  return { weights, bias };
}

function runFirstLayer({ weights, bias }: FirstLayer, input: Float32Array, hidden: Float32Array): void {
  const n = input.length;
  // Four rows at a time: the input is read once for four sums, which halves the time of the scorer.
  for (let row = 0; row < bias.length; row += 4) {
    let sum0 = bias[row]!;
    let sum1 = bias[row + 1]!;
    let sum2 = bias[row + 2]!;
    let sum3 = bias[row + 3]!;
    let at = row * n;
    for (let k = 0; k < n; k++, at++) {
      const value = input[k]!;
      sum0 += weights[at]! * value;
      sum1 += weights[at + n]! * value;
      sum2 += weights[at + 2 * n]! * value;
      sum3 += weights[at + 3 * n]! * value;
    }
    hidden[row] = sum0 > 0 ? sum0 : 0;
    hidden[row + 1] = sum1 > 0 ? sum1 : 0;
    hidden[row + 2] = sum2 > 0 ? sum2 : 0;
    hidden[row + 3] = sum3 > 0 ? sum3 : 0;
  }
}

function runLastLayers(network: Network, hidden: Float32Array, offset: number): number {
  const [n1, n2] = network.nHidden;
  let out = network.bias3;
  for (let j = 0; j < n2; j++) {
    let sum = network.bias2[j]!;
    for (let i = 0; i < n1; i++) sum += network.weights2[j * n1 + i]! * hidden[offset + i]!;
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

/** The network that gives for a photo what this one gives for its mirror image. */
function mirroredNetwork(network: Network, nFeatures: number): Network {
  const weights1 = new Float32Array(network.weights1.length);
  for (let row = 0; row < weights1.length; row += nFeatures) {
    for (let f = 0; f < nFeatures; f++) {
      // Standardised, a complement changes sign: its mean over photos and their mirror images is one half.
      const weight = network.weights1[row + MIRROR.index[f]!]!;
      weights1[row + f] = MIRROR.complement[f] ? -weight : weight;
    }
  }
  return { ...network, weights1 };
}

/**
 * Log-probability of each box to be the crop a person would choose among these, natural logarithm: networks averaged
 * over the photo and its mirror image.
 */
export function scoreBoxes(scorer: Scorer, context: FeatureContext, boxes: readonly UnitBox[]): Float64Array {
  const nFeatures = FEATURE_NAMES.length;
  const networks = scorer.networks.flatMap((network) => [network, mirroredNetwork(network, nFeatures)]);
  const features = new Float32Array(nFeatures);
  const first = firstLayer(networks, nFeatures);
  const hidden = new Float32Array(first.bias.length);
  const byNetwork = networks.map(() => new Float64Array(boxes.length));
  boxes.forEach((box, b) => {
    boxFeatures(context, box, features, 0);
    for (let f = 0; f < nFeatures; f++) {
      const value = (features[f]! - scorer.mean[f]!) / scorer.deviation[f]!;
      features[f] = value > scorer.clip ? scorer.clip : value < -scorer.clip ? -scorer.clip : value;
    }
    runFirstLayer(first, features, hidden);
    let offset = 0;
    networks.forEach((network, n) => {
      byNetwork[n]![b] = runLastLayers(network, hidden, offset);
      offset += network.nHidden[0];
    });
  });
  const total = new Float64Array(boxes.length);
  for (const values of byNetwork) {
    logSoftmax(values);
    for (let b = 0; b < total.length; b++) total[b]! += values[b]! / (networks.length * scorer.temperature);
  }
  logSoftmax(total);
  return total;
}
