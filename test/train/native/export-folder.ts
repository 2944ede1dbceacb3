import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { buildVocabulary } from '../../../gguf/tokenizer.js';
import type { Element } from '../../../src/base/schema.js';
import type { Size } from '../../../src/base/geometry.js';
import { recordConversation, type ConversationRecord } from '../../../src/train/record.js';
import { detokenize, vocabularyTokenizer } from '../../../src/train/vocabulary-tokenizer.js';
import { AnswerTokens } from '../../../src/vlm/answer/answer-tokens.js';
import { loadPromptProfile } from '../../../src/vlm/prompt/profile.js';
import { nanoTokenizer } from '../../../training/nano/vocabulary.js';

const profile = await loadPromptProfile('compact');
const phrases = profile.reasons.kind === 'phrase' ? profile.reasons.phrases : [];
export const vocabulary = buildVocabulary(nanoTokenizer(phrases));
export const tokenizer = vocabularyTokenizer(vocabulary);
const tokens = new AnswerTokens(tokenizer);
export const FRAME: Size = { width: 196, height: 168 };

/** True of the two candidates below. */
const REASONS = ['subject in the center', 'less empty space'] as const;

/** A conversation of the product on a frame: the tokens it has in use, with the photo's subject in the middle. */
export function productConversation(best: 0 | 1): Promise<ConversationRecord> {
  const elements: Element[] = [{ type: 'center', box: [60, 40, 130, 120] }];
  return recordConversation(
    {
      frame: FRAME,
      elements,
      request: { count: 2, limits: { frame: FRAME, minSize: 0.25 } },
      candidates: [
        { boxInFrame: [10, 5, 180, 150], why: REASONS[0] },
        { boxInFrame: [0, 0, 150, 168], why: REASONS[1] },
      ],
      preference: best === 0 ? [1, 0] : [0, 1],
      why: REASONS[best],
    },
    { tokenizer, tokens, profile },
  );
}

interface StoredTurn {
  readonly from: 'human' | 'gpt';
  readonly value: string;
}

/** The turns of such a conversation as an export writes them. */
export function turnsOf({ tokens: ids }: ConversationRecord): StoredTurn[] {
  const text = detokenize(vocabulary, ids).replaceAll(
    /<\|vision_start\|>(?:<\|image_pad\|>)+<\|vision_end\|>/g,
    '<image>',
  );
  return [...text.matchAll(/<\|im_start\|>(\w+)\n([\s\S]*?)<\|im_end\|>/g)].map(([, role, value]) => ({
    from: role === 'user' ? 'human' : 'gpt',
    value: value!,
  }));
}

/** An export folder for the nano: photos of one colour each, the first candidate the better one on dark ones. */
export async function writeExport(folder: string, nTrain: number, nHeldOut: number): Promise<void> {
  await mkdir(join(folder, 'images'), { recursive: true });
  const sft: object[] = [];
  const dpo: object[] = [];
  for (let i = 0; i < nTrain + nHeldOut; i++) {
    const best = i % 2 === 0 ? 0 : 1;
    const name = `images/${i}.png`;
    const shade = best === 0 ? 20 + i : 200 + (i % 50);
    const create = { ...FRAME, channels: 3 as const, background: { r: shade, g: 255 - shade, b: (37 * i) % 256 } };
    await sharp({ create }).png().toFile(join(folder, name));
    const conversations = turnsOf(await productConversation(best));
    const other = turnsOf(await productConversation(best === 0 ? 1 : 0));
    const images = [name, name];
    sft.push({ conversations, images });
    const [chosen, rejected] = [conversations.at(-1)!, other.at(-1)!];
    dpo.push({ conversations: conversations.slice(0, -1), chosen, rejected, images });
  }
  const write = (name: string, value: unknown): Promise<void> => writeFile(join(folder, name), JSON.stringify(value));
  await write('sft.json', sft.slice(0, nTrain));
  await write('sft.heldout.json', sft.slice(nTrain));
  await write('dpo.json', dpo.slice(0, nTrain));
  await write('dpo.heldout.json', dpo.slice(nTrain));
}
