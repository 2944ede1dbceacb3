import { createHmac, randomBytes } from 'node:crypto';
import { sameSecret } from '../../server/access/token.js';

/** Without letters that are taken for digits, and digits for letters (Crockford's base 32). */
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';
/** 75 bits, which nobody finds by trying. */
const CODE_LENGTH = 15;

/** What all codes of a study are made of; it is kept with the judgements. */
export function newSecret(): string {
  return randomBytes(24).toString('base64url');
}

/** The personal code of each judge, the same whenever it is asked for. */
export function judgeCodes(secret: string, nJudges: number): string[] {
  return Array.from({ length: nJudges }, (_, judge) => {
    const digest = createHmac('sha256', secret).update(`framewright judge ${judge}`).digest();
    return Array.from(digest.subarray(0, CODE_LENGTH), (byte) => LETTERS[byte % LETTERS.length]).join('');
  });
}

/** The judge of a code, from 0; undefined for none. It takes as long for a wrong one. */
export function judgeOf(code: string, codes: readonly string[]): number | undefined {
  const equal = codes.map((each) => sameSecret(code, each));
  const found = equal.indexOf(true);
  return found < 0 ? undefined : found;
}
