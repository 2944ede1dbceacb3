import { GgufError } from './errors.js';
import type { ModelFamily } from './families/family.js';

/** PEFT's names of the matrices of a layer that keeps a running state, and llama.cpp's. */
const LINEAR_MODULES: Readonly<Record<string, string>> = {
  'linear_attn.in_proj_qkv': 'attn_qkv',
  'linear_attn.in_proj_z': 'attn_gate',
  'linear_attn.in_proj_b': 'ssm_beta',
  'linear_attn.in_proj_a': 'ssm_alpha',
  'linear_attn.out_proj': 'ssm_out',
};

/** Those of any other layer. */
const MODULES: Readonly<Record<string, string>> = {
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

export interface LoraName {
  /** Of the base tensor, e.g. `blk.0.attn_q.weight`. */
  readonly base: string;
  /** The module's name in the model PEFT wrapped, e.g. `model.layers.0.self_attn.q_proj`: patterns are matched with it. */
  readonly module: string;
  readonly half: 'a' | 'b';
}

/**
 * What a tensor of a PEFT adapter for a model of the family is called in a GGUF adapter.
 *
 * @throws GgufError `UNSUPPORTED` with what llama.cpp cannot do with it
 */
export function loraNameOf(peftName: string, { title, isRecurrent }: ModelFamily): LoraName {
  const refuse = (why: string): never => {
    throw new GgufError('UNSUPPORTED', `tensor ${peftName}: ${why}`);
  };
  if (peftName.includes('lora_magnitude_vector'))
    refuse('DoRA has no place in a GGUF adapter; train with use_dora: false');
  if (/(?:^|\.)(?:visual|vision_tower|merger)\./.test(peftName))
    refuse('it adapts the vision tower, which llama.cpp runs without adapters; train the language model only');
  if (/\.experts(?:\.|$)/.test(peftName))
    refuse('it adapts experts, for which a GGUF adapter here has no place; train the attention alone');
  if (/(?:^|\.)mtp\./.test(peftName))
    refuse('it adapts the block that guesses ahead, which does not run here; train the language model only');
  if (/lora_embedding_|embed_tokens|lm_head/.test(peftName))
    refuse('embeddings and output matrix are not adapted; leave them out of target_modules');
  const match =
    /^(?:base_model\.model\.)?((?:.*\.)?layers\.(\d+)\.((?:self_attn|linear_attn|mlp)\.\w+))\.lora_([AB])(?:\.[\w-]+)?\.weight$/.exec(
      peftName,
    );
  if (!match) return refuse('it is no half of a low-rank pair (modules_to_save and biases are not taken over)');
  const [, module, layer, place, half] = match as unknown as [string, string, string, string, 'A' | 'B'];
  if (place === 'linear_attn.conv1d')
    refuse('it adapts a convolution, which llama.cpp runs without adapters; leave conv1d out of target_modules');
  const linear = isRecurrent ? LINEAR_MODULES[place] : undefined;
  const name = MODULES[place] ?? linear ?? refuse(`a layer of a ${title} has no ${place}`);
  return { base: `blk.${Number(layer)}.${name}.weight`, module, half: half === 'A' ? 'a' : 'b' };
}
