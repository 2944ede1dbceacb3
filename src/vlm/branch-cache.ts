import type { Conversation } from './prompt/conversation.js';

/** Where a conversation stands after a step, and what the step gave. */
export interface Branch<T> {
  readonly chat: Conversation;
  readonly value: T;
}

type KeptBranch<T> = Branch<T> & { readonly nCells: number };

/**
 * One step of a photo's conversation, by what was asked. Kept, each answer stands in a fork of its own and stays, the least
 * recently used going where all of them take more than `maxCells`, or are more than `maxBranches`; not kept, the step goes on in
 * the conversation itself.
 */
export class BranchCache<T> {
  readonly #isKept: boolean;
  readonly #maxCells: number;
  readonly #maxBranches: number;
  readonly #branches = new Map<string, Promise<KeptBranch<T>>>();

  constructor(isKept: boolean, { maxCells = Infinity, maxBranches = Infinity } = {}) {
    this.#isKept = isKept;
    this.#maxCells = maxCells;
    this.#maxBranches = maxBranches;
  }

  /** Branches that stay. */
  get size(): number {
    return this.#branches.size;
  }

  /** Takes the step, or has it taken already. */
  async goOn(
    key: string,
    from: { readonly chat: Conversation },
    step: (chat: Conversation) => Promise<T>,
  ): Promise<Branch<T>> {
    if (!this.#isKept) return { chat: from.chat, value: await step(from.chat) };
    const branch = this.#branches.get(key) ?? forkFor(from.chat, step);
    this.#branches.delete(key);
    this.#branches.set(key, branch); // the most recently used is the last
    try {
      await branch;
    } catch (error) {
      this.#branches.delete(key);
      throw error;
    }
    await this.#makeRoom();
    return branch;
  }

  branches(): Promise<Branch<T>[]> {
    return Promise.all(this.#branches.values());
  }

  async clear(): Promise<void> {
    const branches = await this.branches();
    this.#branches.clear();
    await Promise.all(branches.map(({ chat }) => chat.dispose()));
  }

  async #makeRoom(): Promise<void> {
    const kept = await Promise.all([...this.#branches].map(async ([key, branch]) => ({ key, ...(await branch) })));
    let nCells = kept.reduce((sum, branch) => sum + branch.nCells, 0);
    for (const { key, chat, nCells: freed } of kept.slice(0, -1)) {
      if (nCells <= this.#maxCells && this.#branches.size <= this.#maxBranches) return;
      nCells -= freed;
      this.#branches.delete(key);
      await chat.dispose();
    }
  }
}

async function forkFor<T>(from: Conversation, step: (chat: Conversation) => Promise<T>): Promise<KeptBranch<T>> {
  const chat = await from.fork();
  try {
    const value = await step(chat);
    return { chat, value, nCells: chat.nTokens - from.nTokens };
  } catch (error) {
    await chat.dispose();
    throw error;
  }
}
