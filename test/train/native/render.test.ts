import { describe, expect, test } from 'vitest';
import type { Piece } from '../../../src/train/native/pieces.js';
import { detokenize } from '../../../src/train/vocabulary-tokenizer.js';
import { Renderer } from '../../../src/train/native/render.js';
import { FRAME, productConversation, tokenizer, turnsOf, vocabulary } from './export-folder.js';

const renderer = new Renderer(tokenizer);
const image = { file: 'a.png', frame: FRAME };
const record = await productConversation(1);
const turns = turnsOf(record);
const imagePad = tokenizer.tokenize('<|image_pad|>', { special: true })[0]!;
const endOfTurn = tokenizer.tokenize('<|im_end|>', { special: true })[0]!;

function tokensOf(pieces: readonly Piece[]): number[] {
  return pieces.flatMap((piece) => {
    if (piece.kind === 'text') return [...piece.tokens];
    return Array.from({ length: (FRAME.width / 28) * (FRAME.height / 28) }, () => imagePad);
  });
}

describe('a rendered record', () => {
  test('has the tokens that the stages of the product make of the conversation', async () => {
    const { pieces } = await renderer.conversation({ turns, images: [image, image], system: undefined });
    const found = tokensOf(pieces);
    // A conversation in use is asked for no more after the last answer: its line feed never comes.
    expect(found.slice(0, record.tokens.length)).toEqual(record.tokens);
    expect(found.length - record.tokens.length).toBeLessThanOrEqual(1);
  });

  test('trains the tokens that are decided in use and the one that ends each answer, and no bracket between', async () => {
    const { pieces } = await renderer.conversation({ turns, images: [image, image], system: undefined });
    const isTrained = pieces.flatMap((piece) =>
      piece.kind === 'text' ? piece.tokens.map(() => piece.trained) : tokensOf([piece]).map(() => false),
    );
    const decided = new Set(record.labels.map(({ at }) => at + 1));
    for (const at of decided) expect(isTrained[at]).toBe(true);
    const more = isTrained.flatMap((each, at) => (each && !decided.has(at) ? [record.tokens[at]] : []));
    const closing = tokenizer.tokenize('"}\n')[0]!; // of a reason, which is one word of the vocabulary
    expect(new Set(more)).toEqual(new Set([closing, endOfTurn]));
  });

  test('of a pair ends before the answers, which end their turns', async () => {
    const { pieces, chosen, rejected } = await renderer.pair({
      turns: turns.slice(0, -1),
      images: [image, image],
      system: undefined,
      chosen: turns.at(-1)!.value,
      rejected: '{"best":1}\n',
    });
    expect([...tokensOf(pieces), ...chosen.tokens]).toEqual(record.tokens);
    expect(rejected.tokens).toEqual([...tokenizer.tokenize('{"best":1}\n'), endOfTurn]);
    const preferred = rejected.tokens.filter((_, i) => rejected.decided[i]);
    expect(preferred).toEqual([...tokenizer.tokenize('1')]);
  });

  test('shares each coordinate inside the frame with its neighbours, and nothing else', async () => {
    const nano = new Renderer(tokenizer, { spread: 3 });
    const given = { turns, images: [image, image], system: undefined };
    const [shared, plain] = [await nano.conversation(given), await renderer.conversation(given)];
    expect(tokensOf(shared.pieces)).toEqual(tokensOf(plain.pieces));
    // The subject, the first candidate, and of the second the one edge that is not the frame's own.
    const inside = [60, 40, 130, 120, 10, 5, 180, 150, 150].map((value, i) => ({
      value,
      side: i % 2 === 0 ? FRAME.width : FRAME.height,
    }));
    const found = shared.pieces.flatMap((piece) => (piece.kind === 'text' ? [...(piece.shares ?? [])] : []));
    expect(found).toHaveLength(inside.length);
    for (const [i, [, shares]] of found.entries()) {
      const { value, side } = inside[i]!;
      const places = new Map(shares.map(({ token, share }) => [Number(detokenize(vocabulary, [token])), share]));
      expect([...places.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
      expect([...places.keys()].every((place) => place > 0 && place < side)).toBe(true);
      const [greatest] = [...places].reduce((best, each) => (each[1] > best[1] ? each : best));
      expect(greatest).toBe(value);
      if (places.has(value + 3)) expect(places.get(value + 3)! / places.get(value)!).toBeCloseTo(Math.exp(-0.5), 9);
    }
  });

  test('shares nothing by a model that writes numbers in digits', () => {
    const inDigits = { tokenize: (text: string) => new Int32Array(text === '<|im_end|>' ? 1 : text.length) };
    expect(() => new Renderer(inDigits, { spread: 3 })).toThrow(/writes numbers in digits/);
  });

  test.each([
    ['two human turns in a row', [turns[0]!, turns[0]!], /expected a gpt turn/],
    ['an image behind words', [{ from: 'human', value: 'look <image>' } as const, turns[1]!], /beginning of its turn/],
  ])('refuses %s', async (_, wrong, message) => {
    const given = { turns: wrong, images: [image, image], system: undefined };
    await expect(renderer.conversation(given)).rejects.toThrow(message);
  });
});
