// Crops of photos by engine, asked for once.
import { signal } from '@preact/signals';
import type { EngineAnswer } from '../../../../src/studio/learn/api.js';
import { learn } from './ask.js';

export type EngineName = 'vlm' | 'retrieval' | 'rules' | 'saliency' | 'centre' | 'full';
export type Answer = EngineAnswer | { readonly problem: string } | 'waiting';

const answers = signal<ReadonlyMap<string, Answer>>(new Map());

/** Asks where nobody has. Read in a component, it is drawn anew once the answer is here. */
export function answerOf(engine: EngineName, photo: string, aspect: string | undefined): Answer {
  const key = [engine, photo, aspect].join('|');
  const known = answers.value.get(key);
  if (known) return known;
  // Not while a component is drawn, which would be drawn again for it.
  queueMicrotask(() => void fetchAnswer(key, engine, photo, aspect));
  return 'waiting';
}

async function fetchAnswer(key: string, engine: EngineName, photo: string, aspect: string | undefined): Promise<void> {
  if (answers.peek().has(key)) return;
  put(key, 'waiting');
  try {
    put(key, await learn.crop(engine, photo, aspect));
  } catch (error) {
    put(key, { problem: error instanceof Error ? error.message : String(error) });
  }
}

function put(key: string, answer: Answer): void {
  answers.value = new Map([...answers.value, [key, answer]]);
}
