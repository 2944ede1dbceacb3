import { numberPolicyOf, type NumberPolicy, type ValidPair } from '../../gguf/index.js';
import type { LoraSpec } from '../runtime/types.js';
import type { ModelUse } from './manifest.js';

/**
 * How the numbers of answers are chosen: as the last of the adapters that says so was made for (one of scale 0 is none),
 * else as the manifest says, else the text model's own file.
 *
 * @param loras as they are applied, in the order of the pair's
 */
export function settledNumbers(
  { numbers }: Pick<ModelUse, 'numbers'>,
  { text, loras: headers }: Pick<ValidPair, 'text' | 'loras'>,
  loras: readonly LoraSpec[],
): NumberPolicy {
  const applied = headers.filter((_, i) => loras[i]?.scale !== 0);
  const ofAdapters = applied.map(({ metadata }) => numberPolicyOf(metadata)).findLast((policy) => policy !== undefined);
  return ofAdapters ?? numbers ?? numberPolicyOf(text.metadata) ?? 'likeliest';
}
