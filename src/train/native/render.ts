import { FramewrightError } from '../../base/errors.js';
import { AnswerTokens } from '../../vlm/answer/answer-tokens.js';
import type { ChatSession } from '../../vlm/answer/chat-session.js';
import type { Tokenizer } from '../../vlm/answer/writer.js';
import { Conversation, type SeenImage } from '../../vlm/prompt/conversation.js';
import { IMAGE_TAG } from '../written-conversation.js';
import { answerPieces } from './answer-pieces.js';
import { Neighbours, type Coordinate } from './neighbours.js';
import type {
  ImagePlace,
  Piece,
  SharedTarget,
  TokenisedAnswer,
  TokenisedConversation,
  TokenisedPair,
} from './pieces.js';
import type { PreferenceRecord, SftRecord, Turn } from './records.js';

/** What is asked of the answers of conversations beside being said. */
export interface RenderOptions {
  /** As `TrainSettings.spread`. Default 0. */
  readonly spread?: number;
}

/** The tokens of records, by the same code that talks to the model in use (src/vlm/prompt/conversation.ts). */
export class Renderer {
  readonly #tokenizer: Tokenizer;
  readonly #tokens: AnswerTokens;
  readonly #neighbours: Neighbours | undefined;

  /** @throws FramewrightError USAGE for a spread, and a model that writes numbers in digits */
  constructor(tokenizer: Tokenizer, { spread = 0 }: RenderOptions = {}) {
    this.#tokenizer = tokenizer;
    this.#tokens = new AnswerTokens(tokenizer);
    this.#neighbours = spread > 0 ? new Neighbours(this.#tokens, spread) : undefined;
  }

  /** @throws FramewrightError DATASET_INVALID for turns the product never has */
  async conversation({ turns, images, system }: SftRecord): Promise<TokenisedConversation> {
    return { pieces: await this.#pieces(turns, images, system) };
  }

  /** @throws FramewrightError DATASET_INVALID for turns the product never has */
  async pair({ turns, images, system, chosen, rejected }: PreferenceRecord): Promise<TokenisedPair> {
    if (turns.at(-1)?.from !== 'human')
      throw new FramewrightError('DATASET_INVALID', 'expected the turns before two answers to end with a human one');
    return {
      pieces: await this.#pieces(turns, images, system),
      chosen: this.#answer(chosen),
      rejected: this.#answer(rejected),
    };
  }

  async #pieces(turns: readonly Turn[], images: readonly ImagePlace[], system: string | undefined): Promise<Piece[]> {
    const chat = new Conversation<ImagePlace>(UNHEARD, this.#tokenizer, this.#tokens);
    const places = new Map<unknown, ImagePlace>();
    const left = [...images];
    const decided: boolean[] = [];
    const shares: (readonly SharedTarget[] | undefined)[] = [];
    if (system) chat.system(system);
    let expected: Turn['from'] = 'human';
    for (const { from, value } of turns) {
      if (from !== expected)
        throw new FramewrightError('DATASET_INVALID', `expected a ${expected} turn but found one of ${from}`);
      expected = from === 'human' ? 'gpt' : 'human';
      if (from === 'gpt') {
        for (const { token, isDecided, coordinate } of this.#piecesOf(value)) {
          chat.put(token);
          decided.push(isDecided);
          shares.push(coordinate && images[0] && this.#neighbours?.of(coordinate, images[0].frame));
        }
        chat.put(this.#tokens.endOfTurn);
        decided.push(true);
        shares.push(undefined);
        chat.endAnswer();
        continue;
      }
      chat.startUser();
      const { nImages, text } = splitTurn(value);
      for (const image of left.splice(0, nImages)) {
        const seen: SeenImage<ImagePlace> = { frame: image.frame, rgb: new Uint8Array(0), embedding: image };
        places.set(seen, image);
        await chat.image(seen);
      }
      chat.endUser(text);
    }
    // The line feed behind the last answer is the next turn's affair.
    return chat.transcript.flatMap((part): Piece[] => {
      if (part.kind === 'image') return [{ kind: 'image', image: places.get(part.image)! }];
      if (part.kind === 'prompt') return [{ kind: 'text', tokens: part.tokens, trained: false }];
      const n = part.tokens.length;
      return runsOf(part.tokens, decided.splice(0, n), shares.splice(0, n));
    });
  }

  /** Both answers of a pair end alike, which tells nothing of either. */
  #answer(text: string): TokenisedAnswer {
    const pieces = this.#piecesOf(text);
    return {
      tokens: [...pieces.map(({ token }) => token), this.#tokens.endOfTurn],
      decided: [...pieces.map(({ isDecided }) => isDecided), false],
    };
  }

  #piecesOf(answer: string): AnswerToken[] {
    return answerPieces(answer).flatMap(({ tokens, isDecided, axis }) => {
      const ids = [...this.#tokenizer.tokenize(tokens)];
      const coordinate = axis && ids.length === 1 ? { value: Number(tokens), axis } : undefined;
      return ids.map((token) => ({ token, isDecided, ...(coordinate && { coordinate }) }));
    });
  }
}

interface AnswerToken {
  readonly token: number;
  readonly isDecided: boolean;
  readonly coordinate?: Coordinate;
}

/** Tokens of an answer, cut where deciding begins and ends. */
function runsOf(
  tokens: readonly number[],
  decided: readonly boolean[],
  shares: readonly (readonly SharedTarget[] | undefined)[],
): Piece[] {
  const runs: { kind: 'text'; tokens: number[]; trained: boolean; shares: Map<number, readonly SharedTarget[]> }[] = [];
  tokens.forEach((token, i) => {
    let last = runs.at(-1);
    if (last?.trained === decided[i]) last!.tokens.push(token);
    else runs.push((last = { kind: 'text', tokens: [token], trained: decided[i]!, shares: new Map() }));
    if (shares[i]) last!.shares.set(last!.tokens.length - 1, shares[i]);
  });
  return runs;
}

/** The product shows images first and then speaks: nothing else is learnt. */
function splitTurn(value: string): { readonly nImages: number; readonly text: string } {
  let text = value;
  let nImages = 0;
  for (; text.startsWith(IMAGE_TAG); nImages++) text = text.slice(IMAGE_TAG.length);
  if (text.includes(IMAGE_TAG))
    throw new FramewrightError('DATASET_INVALID', `expected every ${IMAGE_TAG} at the beginning of its turn`);
  return { nImages, text };
}

/** A conversation keeps a transcript of what it says; here nobody answers. */
const UNHEARD: ChatSession<ImagePlace> = {
  nTokens: 0,
  append: () => Promise.resolve({ logProbs: new Float32Array(0) }),
  appendImage: () => Promise.resolve(),
  generate: refuse,
  score: refuse,
  fork: refuse,
  dispose: () => Promise.resolve(),
};

function refuse(): never {
  throw new FramewrightError('INTERNAL', 'a training record asks the model something');
}
