import type { PreTokenizer } from '../tokenizer.js';

/** A family is called by its architecture. */
export type FamilyName = 'qwen2vl' | 'qwen3vl' | 'qwen3vlmoe' | 'qwen35';

/** `clip.projector_type`s, each with a vision tower of its own before it. */
export type Projector = 'qwen2.5vl_merger' | 'qwen3vl_merger';

/** What models of one architecture have in common, and the code would otherwise have to guess. One file each beside this one. */
export interface ModelFamily {
  /** What its GGUF text files name in `general.architecture`, and what prefixes their keys. */
  readonly architecture: FamilyName;
  /** As its makers write it. */
  readonly title: string;
  /** What the config.json of its checkpoints on Hugging Face names in `architectures`. */
  readonly checkpoint: string;
  /** `clip.projector_type` of its vision files. */
  readonly projector: Projector;
  /** Side of a patch of its vision tower, in pixels of the frame. */
  readonly patchPx: number;
  /** Patches on a side that become one token. */
  readonly mergeSize: number;
  /** Its layers normalise each head's queries and keys. */
  readonly hasQkNorm: boolean;
  /** What a layer's norm before its feed-forward network is called. */
  readonly ffnNorm: 'ffn_norm' | 'post_attention_norm';
  /** Its layers have many feed-forward networks, a few of which each token goes through. */
  readonly hasExperts: boolean;
  /** What its answers count in: whole pixels of the frame it sees, or thousandths of the frame's sides. */
  readonly coordinates: 'pixels' | 'thousand';
  /** Writes thoughts before an answer unless its think block is closed for it. */
  readonly thinks: boolean;
  /** Keeps a running state beside its KV cache: a sequence can be copied and dropped whole, not cut back. */
  readonly isRecurrent: boolean;
  /** How its makers' tokenizer cuts a text into words. */
  readonly preTokenizer: PreTokenizer;
  /** For whoever trains it elsewhere: LLaMA-Factory's chat template, and a checkpoint by its name on Hugging Face. */
  readonly training: { readonly template: string; readonly exampleModel: string };
}
