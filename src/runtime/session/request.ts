import type { NativeItem } from '../addon.js';

/** One sequence of the KV cache, as far as JS knows it: where it stands when all its finished requests are counted. */
export interface Sequence {
  readonly id: number;
  /** KV cells: text and image tokens. */
  nTokens: number;
  /** M-RoPE positions: the next token's. */
  nPos: number;
  /** Requests that are queued or run. */
  nPending: number;
  active: boolean;
  closed: boolean;
}

/** What a request does when its turn comes. `finish` gets the native result, and moves `nTokens` and `nPos` on. */
export type Work<T> =
  /** Needs no decode: only commands, which the next native call carries out first. */
  | { readonly kind: 'instant'; run(): T }
  /** Shares batches with the other items. */
  | {
      readonly kind: 'item';
      /** Empty sequences it needs meanwhile; it gets at least one of them. */
      readonly nScratch?: number;
      item(id: number, scratch: Int32Array): NativeItem;
      finish(result: unknown): T;
    }
  /** A native call of its own. */
  | { readonly kind: 'exclusive'; run(commands: Int32Array): Promise<unknown>; finish(result: unknown): T };

/** A call on its way through the scheduler. */
export interface Request {
  readonly sequence: Sequence;
  readonly work: Work<unknown>;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  id: number;
  /** Where the sequence stood before it started: where a failure takes it back to. */
  start: { readonly nTokens: number; readonly nPos: number };
  scratch: number[];
  /** Its promise is settled; what runs natively is thrown away. */
  cancelled: boolean;
}
