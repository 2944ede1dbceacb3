import type { Conversation } from './prompt/conversation.js';

/**
 * Goes on from one conversation in several directions, `atOnce` of them side by side: the first item in the conversation
 * itself, once the waves of the others are over, and those in forks that are gone afterwards.
 *
 * @returns what `work` gave for each item, in their order
 */
export async function inWaves<T, R, Embedding>(
  chat: Conversation<Embedding>,
  items: readonly T[],
  atOnce: number,
  work: (branch: Conversation<Embedding>, item: T) => Promise<R>,
): Promise<R[]> {
  const first = items.slice(0, atOnce);
  const results: R[] = [];
  for (let at = first.length; at < items.length; at += atOnce) {
    results.push(...(await wave(chat, items.slice(at, at + atOnce), [], work)));
  }
  return [...(await wave(chat, first, [chat], work)), ...results];
}

async function wave<T, R, Embedding>(
  chat: Conversation<Embedding>,
  items: readonly T[],
  own: readonly Conversation<Embedding>[],
  work: (branch: Conversation<Embedding>, item: T) => Promise<R>,
): Promise<R[]> {
  const forks: Conversation<Embedding>[] = [];
  try {
    while (own.length + forks.length < items.length) forks.push(await chat.fork());
    const branches = [...own, ...forks];
    const settled = await Promise.allSettled(items.map((item, i) => work(branches[i]!, item)));
    return settled.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
  } finally {
    await Promise.all(forks.map((fork) => fork.dispose()));
  }
}
