import { FramewrightError } from '../base/errors.js';

/**
 * `#rgb`, `#rrggbb`, or one of the words for black, grey and white: as `#rrggbb`.
 * @throws FramewrightError USAGE
 */
export function parseBackground(text: string): string {
  const colour = text.trim().toLowerCase();
  const word = Object.hasOwn(WORDS, colour) ? WORDS[colour as keyof typeof WORDS] : undefined;
  if (word !== undefined) return word;
  if (/^#[0-9a-f]{6}$/.test(colour)) return colour;
  if (/^#[0-9a-f]{3}$/.test(colour)) return colour.replace(/[0-9a-f]/g, '$&$&');
  throw new FramewrightError('USAGE', `"${text}" is no colour; write #rrggbb, e.g. #20242c, or white, grey or black`);
}

const WORDS = { white: '#ffffff', grey: '#808080', gray: '#808080', black: '#000000' } as const;
