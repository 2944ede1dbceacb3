import { quote, type Check } from './validate/problem.js';
import type { GgufMetadata } from './values.js';

/**
 * How a number of an answer is chosen from the probabilities of all that may stand there: the likeliest token after the
 * other, or the median, the least number that together with all below it is at least as probable as not.
 */
export const NUMBER_POLICIES = ['likeliest', 'median'] as const;
export type NumberPolicy = (typeof NUMBER_POLICIES)[number];

/** Metadata of a text model or a LoRA adapter: the policy it was made for. */
export const NUMBERS_KEY = 'framewright.numbers';

/** What a file says of it; undefined where it says nothing. Of a file without problems it is what it claims to be. */
export function numberPolicyOf(metadata: GgufMetadata): NumberPolicy | undefined {
  return NUMBER_POLICIES.find((policy) => policy === metadata.get(NUMBERS_KEY)?.value);
}

export function* checkNumberPolicy(metadata: GgufMetadata): Check {
  const entry = metadata.get(NUMBERS_KEY);
  if (entry === undefined || numberPolicyOf(metadata)) return;
  const found = entry.type === 'string' ? quote(entry.value) : entry.type;
  yield { where: NUMBERS_KEY, found, required: `must be the string ${NUMBER_POLICIES.map(quote).join(' or ')}` };
}
