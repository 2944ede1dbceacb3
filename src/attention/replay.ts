import { FramewrightError } from '../base/errors.js';
import type { ConversationPart } from '../engines/engine.js';
import type { VisionModel } from '../runtime/model.js';

/** What the tokens of an answer attend to, on average: the mean over the queries that each decided one of its tokens. */
export interface AnswerAttention {
  /** Those that attend: in a recurrent model not all do. */
  readonly nLayer: number;
  readonly nHead: number;
  /** Tokens of the conversation before the last one of the answer. */
  readonly nKv: number;
  /** Queries averaged over: the answer's tokens. */
  readonly nRows: number;
  /** `[layer][head][key]`; over the keys it sums to 1. */
  readonly means: Float32Array;
}

/** Weights of a batch of queries are read at once, all layers and heads; this many bytes of them at most. */
const BATCH_BYTES = 64 * 1024 * 1024;

/**
 * Puts a conversation through the model once more, up to its last answer, and reads the attention that answer pays, from
 * the model's own matrices (softmax of K·Q). The query that decides a token is that of the token before it.
 * @throws FramewrightError USAGE without an answer; as contexts and sessions do
 */
export async function replayAttention(
  model: VisionModel,
  parts: readonly ConversationPart[],
  signal?: AbortSignal,
): Promise<AnswerAttention> {
  const options = signal ? { signal } : {};
  const last = parts.findLastIndex(({ kind }) => kind === 'answer');
  const [prompt, answer] = [parts[last - 1], parts[last]];
  if (answer?.kind !== 'answer' || prompt?.kind !== 'prompt') {
    throw new FramewrightError('USAGE', 'expected a conversation that has a prompt and the answer to it');
  }
  const queries = [...prompt.tokens.slice(-1), ...answer.tokens.slice(0, -1)];
  const before = [...parts.slice(0, last - 1), { ...prompt, tokens: prompt.tokens.slice(0, -1) }];
  const nCells = parts.reduce(
    (sum, part) => sum + (part.kind === 'image' ? cellsOf(part, model.cellPx) : part.tokens.length),
    0,
  );

  await using context = await model.createContext({ nCtx: nCells, nSeqMax: 1, captureAttention: true, kvType: 'f32' });
  const session = context.session();
  for (const part of before) {
    if (part.kind === 'image') {
      using embedding = await model.encodeImage(part.image.rgb, part.image.frame, options);
      await session.appendImage(embedding, options);
    } else if (part.tokens.length > 0) await session.append(Int32Array.from(part.tokens), options);
  }

  const { nLayer: nLayerInAll, nHead } = model.facts;
  const nKv = session.nTokens + queries.length;
  const layers = Array.from({ length: nLayerInAll }, (_, layer) => layer);
  const sums = new Map<number, Float64Array>();
  const nAtOnce = Math.max(1, Math.floor(BATCH_BYTES / (4 * nLayerInAll * nHead * nKv)));
  for (let from = 0; from < queries.length; from += nAtOnce) {
    const tokens = Int32Array.from(queries.slice(from, from + nAtOnce));
    const { attention = [] } = await session.append(tokens, { attention: { layers }, ...options });
    for (const { layer, nTokens, nKv: nSeen, weights } of attention) {
      const ofLayer = sums.get(layer) ?? new Float64Array(nHead * nKv);
      sums.set(layer, ofLayer);
      for (let head = 0; head < nHead; head++) {
        for (let row = 0; row < nTokens; row++) {
          const start = (head * nTokens + row) * nSeen;
          for (let key = 0; key < nSeen; key++) ofLayer[head * nKv + key]! += weights[start + key]!;
        }
      }
    }
  }
  const attending = [...sums].sort(([a], [b]) => a - b).map(([, ofLayer]) => ofLayer);
  const means = new Float32Array(attending.length * nHead * nKv);
  attending.forEach((ofLayer, i) => {
    means.set(
      ofLayer.map((sum) => sum / queries.length),
      i * nHead * nKv,
    );
  });
  return { nLayer: attending.length, nHead, nKv, nRows: queries.length, means };
}

function cellsOf({ image: { frame } }: Extract<ConversationPart, { kind: 'image' }>, cellPx: number): number {
  return (frame.width / cellPx) * (frame.height / cellPx);
}
