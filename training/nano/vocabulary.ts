import type { TokenizerOptions } from '../../gguf/tokenizer.js';
import { BOX_KINDS, ELEMENT_KINDS, LINE_KINDS, isOneOf, type ElementKind } from '../../src/base/schema.js';

/** The largest coordinate that is one token; frames of the pixel budget are never longer unless the photo is 15:1. */
const MAX_INTEGER = 999;

function opening(kind: ElementKind): string {
  if (isOneOf(BOX_KINDS, kind)) return `{"type":"${kind}","box":[`;
  if (isOneOf(LINE_KINDS, kind)) return `{"type":"${kind}","line":[`;
  return `{"type":"${kind}",${kind === 'vanishing_point' ? '"lines":[[' : '"points":[['}`;
}

/**
 * One token for each piece the answers, prompts and turns of the compact profile are made of: an element's opening, a
 * coordinate, a reason is one decision. Byte tokens remain for everything else.
 */
export function nanoTokenizer(phrases: readonly string[]): TokenizerOptions {
  return {
    maxInteger: MAX_INTEGER,
    words: [
      ...ELEMENT_KINDS.map(opening),
      ']}\n',
      ']]}\n',
      '],[',
      '{"box":[',
      '],"why":"',
      '"}\n',
      '{"best":',
      ',"why":"',
      ...phrases,
      'system\n',
      'user\n',
      'assistant\n',
      'analyse ',
      'propose ',
      ' aspect ',
      ' keep [',
      'decide\n',
      ': [',
      ']\n',
    ],
  };
}
