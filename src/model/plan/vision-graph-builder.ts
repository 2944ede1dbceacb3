import type { ModelFamily } from '../../../gguf/index.js';
import { GraphBuilder, type GraphTensor, type Place } from './graph.js';
import type { VisionModelShape } from './shape.js';

export interface VisionGraphSettings {
  /** Merged image tokens of the image. */
  readonly nImageTokens: number;
  readonly flashAttention: boolean;
  readonly place: Place;
}

/** What the towers of all families are built of. */
export class VisionGraphBuilder extends GraphBuilder {
  /** Patches of the image. */
  readonly n: number;
  readonly flashAttention: boolean;
  readonly #patchPx: number;
  readonly #shape: VisionModelShape;

  constructor(family: ModelFamily, shape: VisionModelShape, settings: VisionGraphSettings) {
    super();
    this.place = settings.place;
    this.n = family.mergeSize ** 2 * settings.nImageTokens;
    this.flashAttention = settings.flashAttention;
    this.#patchPx = family.patchPx;
    this.#shape = shape;
  }

  matmul(source: GraphTensor, nOut: number, rows: number): GraphTensor {
    return this.op('mul_mat', [source], 'F32', [nOut, rows]);
  }

  /** With its bias. */
  linear(source: GraphTensor, nOut: number, rows: number): GraphTensor {
    return this.op('add', [this.matmul(source, nOut, rows)], 'F32', [nOut, rows]);
  }

  /** The image's patches, both temporal halves, laid out so that the four of a token lie together: [nEmbd, n]. */
  mergedPatches(): GraphTensor {
    const { n } = this;
    const { nEmbd } = this.#shape;
    const nPixels = this.#patchPx ** 2;
    const pixels = this.input('F32', [nPixels * n, 3]);
    const patches = (): GraphTensor => {
      const columns = this.op('im2col', [pixels], 'F16', [3 * nPixels, n]);
      const convolved = this.matmul(this.view(columns, 'F16', [3 * nPixels, n, 1]), n, nEmbd);
      const shown = this.view(this.view(convolved, 'F32', [n, 1, nEmbd]), 'F32', [n, nEmbd], true);
      return this.op('cont', [shown], 'F32', [n, nEmbd]);
    };
    const sum = this.op('add', [patches(), patches()], 'F32', [n, nEmbd]);
    const rows = this.op('cont', [this.view(sum, 'F32', [nEmbd, n], true)], 'F32', [2 * nEmbd, n / 2]);
    return this.fourTogether(rows);
  }

  /** Rows of the grid, [2 nEmbd, n / 2], with the four patches of a token one after the other: [nEmbd, n]. */
  fourTogether(rows: GraphTensor): GraphTensor {
    const { n } = this;
    const { nEmbd } = this.#shape;
    const pairs = this.view(this.view(rows, 'F32', [2 * nEmbd, n / 4, 2]), 'F32', [2 * nEmbd, 2, n / 4], true);
    return this.op('cont', [pairs], 'F32', [nEmbd, n]);
  }

  /** From heads, [headSize, nHead, n], to [nEmbd, n]. */
  attend(q: GraphTensor, k: GraphTensor, v: GraphTensor, mask?: GraphTensor): GraphTensor {
    const { n } = this;
    const { nEmbd, nHead } = this.#shape;
    const headSize = nEmbd / nHead;
    this.expand(q);
    this.expand(k);
    this.expand(v);
    const turned = (tensor: GraphTensor): GraphTensor => this.view(tensor, 'F32', [headSize, n, nHead], true);
    if (this.flashAttention) {
      const cast = [turned(k), turned(v)].map((tensor) => this.op('cpy', [tensor], 'F16', [headSize, n, nHead]));
      const masks = mask ? [this.op('cpy', [mask], 'F16', [n, n])] : [];
      const attended = this.op('flash_attn', [turned(q), ...cast, ...masks], 'F32', [headSize, nHead, n]);
      return this.view(attended, 'F32', [nEmbd, n]);
    }
    const values = this.op('cont', [this.view(v, 'F32', [n, headSize, nHead], true)], 'F32', [n, headSize, nHead]);
    const scores = this.op('mul_mat', [turned(k), turned(q)], 'F32', [n, n, nHead]);
    const weights = this.op('soft_max', [scores, ...(mask ? [mask] : [])], 'F32', [n, n, nHead]);
    const mixed = this.op('mul_mat', [values, weights], 'F32', [headSize, n, nHead]);
    return this.op('cont', [this.view(mixed, 'F32', [headSize, nHead, n], true)], 'F32', [nEmbd, n]);
  }

  /** Two layers with an activation between them, on the patches of each token together: [nOut, n / 4]. */
  mergeTokens(patches: GraphTensor, nOut: number): GraphTensor {
    const { n } = this;
    const nMerged = 4 * this.#shape.nEmbd;
    const merged = this.view(patches, 'F32', [nMerged, n / 4]);
    const hidden = this.op('unary', [this.linear(merged, nMerged, n / 4)], 'F32', [nMerged, n / 4]);
    return this.linear(hidden, nOut, n / 4);
  }
}
