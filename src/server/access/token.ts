import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { FramewrightError } from '../../base/errors.js';

/** Fewer characters can be guessed by trying. */
const LEAST_LENGTH = 16;

/** 192 random bits, in characters that need no escape in a link. */
export function newToken(): string {
  return randomBytes(24).toString('base64url');
}

/**
 * A token of a user's own.
 * @throws FramewrightError USAGE
 */
export function checkToken(token: string): string {
  if (token.length >= LEAST_LENGTH && /^[\w.~+/=-]+$/.test(token)) return token;
  throw new FramewrightError(
    'USAGE',
    `a token has at least ${LEAST_LENGTH} characters of A-Z a-z 0-9 . _ ~ + / = -; e.g. that of "openssl rand -hex 24"`,
  );
}

/** What a browser keeps: not the token itself, which also opens the door to programs. */
export function cookieOf(token: string): string {
  return createHmac('sha256', token).update('framewright cookie').digest('base64url');
}

/** Whether two secrets are equal, in a time that does not say how far. */
export function sameSecret(given: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
