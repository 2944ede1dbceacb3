import type { Signal } from '@preact/signals';
import { info } from '../store.js';

/** What to look for, in words; only where the engine takes any. */
export function InstructField({ words }: { readonly words: Signal<string> }) {
  if (!info.value?.takesInstruction) return null;
  return (
    <label>
      What to look for
      <input
        value={words.value}
        placeholder="keep the dog, more sky"
        onInput={(event) => (words.value = event.currentTarget.value)}
      />
    </label>
  );
}
