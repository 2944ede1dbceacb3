import { buildVocabulary } from '../../gguf/tokenizer.js';
import { FramewrightError } from '../base/errors.js';
import { AnswerTokens } from '../vlm/answer/answer-tokens.js';
import type { PromptProfile } from '../vlm/prompt/prompt-profile.js';
import { recordConversation, type ConversationTarget, type RecordOptions } from './record.js';
import { detokenize, vocabularyTokenizer } from './vocabulary-tokenizer.js';

/** Turns under the names that sharegpt data has. */
export interface Question {
  readonly from: 'human';
  readonly value: string;
}
export interface Answer {
  readonly from: 'gpt';
  readonly value: string;
}
export type Turn = Question | Answer;

/** The three stages as text: analysis, proposal, decision, a question and an answer each. */
export interface WrittenConversation {
  readonly system?: string;
  readonly turns: readonly [Question, Answer, Question, Answer, Question, Answer];
}

/** Where an image stands in a turn. */
export const IMAGE_TAG = '<image>';

/** Writes conversations as text, whose tokens are no model's: any byte is one. */
export interface ConversationWriter {
  /** What `canonicalElements` asks answer forms with. */
  readonly tokens: AnswerTokens;
  readonly profile: PromptProfile;
  /** @throws FramewrightError ANSWER_INVALID for a target that the product's answer forms cannot say */
  write(target: ConversationTarget): Promise<WrittenConversation>;
}

const IMAGE = /<\|vision_start\|>(?:<\|image_pad\|>)*<\|vision_end\|>/g;
const TURN = /<\|im_start\|>(system|user|assistant)\n([\s\S]*?)<\|im_end\|>/g;

/**
 * For models that see frames of such cells and answer in such coordinates.
 * @throws FramewrightError USAGE for a profile of models that answer with one box
 */
export function conversationWriter(
  profile: PromptProfile,
  seen: Required<Pick<RecordOptions, 'cellPx' | 'coordinates'>>,
): ConversationWriter {
  if (profile.oneBox) {
    throw new FramewrightError(
      'USAGE',
      `a model with the prompt profile ${profile.name} answers with one box; training data is made for models that propose crops and decide`,
    );
  }
  const vocabulary = buildVocabulary();
  const tokenizer = vocabularyTokenizer(vocabulary);
  const tokens = new AnswerTokens(tokenizer);
  return {
    tokens,
    profile,
    write: async (target) => {
      const record = await recordConversation(target, { tokenizer, tokens, profile, ...seen });
      const text = detokenize(vocabulary, record.tokens).replace(IMAGE, IMAGE_TAG);
      const said = [...text.matchAll(TURN)].map(([, role, value]) => ({ role: role!, value: value! }));
      const system = said.find(({ role }) => role === 'system')?.value;
      const turns = said
        .filter(({ role }) => role !== 'system')
        .map(({ role, value }): Turn => (role === 'user' ? { from: 'human', value } : { from: 'gpt', value }));
      return { ...(system !== undefined && { system }), turns: turns as unknown as WrittenConversation['turns'] };
    },
  };
}
