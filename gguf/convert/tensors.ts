import { queryRowsOf, recurrentLayersOf, type Experts } from '../families/shapes.js';
import type { CheckpointConfig } from './config.js';
import { linearAttentionTensorsOf } from './linear-attention.js';
import type { WantedTensor } from './wanted-tensor.js';

/** The checkpoints of a Qwen3.5 have what its norms multiply with less 1, but for one. */
const plusOne = (value: number): number => value + 1;

/** The text model's tensors, and where a checkpoint has them. */
export function textTensorsOf({ family, text }: CheckpointConfig): WantedTensor[] {
  const { nEmbd, nHead, nHeadKv, nFf, nVocab, headSize, tied, experts, linear } = text;
  const [nQ, nKv] = [headSize * nHead, headSize * nHeadKv];
  const norm = (name: string, source: string, size: number): WantedTensor => ({
    ...{ name, source, shape: [size] },
    ...(family.isRecurrent && { value: plusOne }),
  });
  const tensors: WantedTensor[] = [
    { name: 'token_embd.weight', source: 'model.embed_tokens.weight', shape: [nEmbd, nVocab] },
    norm('output_norm.weight', 'model.norm.weight', nEmbd),
    ...(tied ? [] : [{ name: 'output.weight', source: 'lm_head.weight', shape: [nEmbd, nVocab] }]),
  ];
  for (const [i, isRecurrent] of recurrentLayersOf(text).entries()) {
    const add = (name: string, source: string, ...shape: number[]): void =>
      void tensors.push({ name: `blk.${i}.${name}`, source: `model.layers.${i}.${source}`, shape });
    const addNorm = (name: string, source: string, size: number): void =>
      void tensors.push(norm(`blk.${i}.${name}.weight`, `model.layers.${i}.${source}.weight`, size));
    const project = (part: 'q' | 'k' | 'v', nOut: number): void => {
      add(`attn_${part}.weight`, `self_attn.${part}_proj.weight`, nEmbd, nOut);
      if (!family.hasQkNorm) add(`attn_${part}.bias`, `self_attn.${part}_proj.bias`, nOut);
      else if (part !== 'v') addNorm(`attn_${part}_norm`, `self_attn.${part}_norm`, headSize);
    };
    addNorm('attn_norm', 'input_layernorm', nEmbd);
    if (isRecurrent) tensors.push(...linearAttentionTensorsOf(i, nEmbd, linear!));
    else {
      project('q', queryRowsOf(text));
      project('k', nKv);
      project('v', nKv);
      add('attn_output.weight', 'self_attn.o_proj.weight', nQ, nEmbd);
    }
    addNorm(family.ffnNorm, 'post_attention_layernorm', nEmbd);
    if (experts) {
      tensors.push(...expertTensors(i, nEmbd, experts));
      continue;
    }
    add('ffn_gate.weight', 'mlp.gate_proj.weight', nEmbd, nFf);
    add('ffn_up.weight', 'mlp.up_proj.weight', nEmbd, nFf);
    add('ffn_down.weight', 'mlp.down_proj.weight', nFf, nEmbd);
  }
  return tensors;
}

/** What chooses the experts stays in single precision; of theirs, gate and up lie side by side. */
function expertTensors(layer: number, nEmbd: number, { count, nFf }: Experts): WantedTensor[] {
  const stack = (name: string, source: string, nIn: number, nOut: number, index: number, of: number): WantedTensor => ({
    name: `blk.${layer}.${name}.weight`,
    source: `model.layers.${layer}.mlp.experts.${source}`,
    shape: [nIn, nOut, count],
    part: { index, of },
    isTransposedStack: true,
  });
  return [
    {
      name: `blk.${layer}.ffn_gate_inp.weight`,
      source: `model.layers.${layer}.mlp.gate.weight`,
      shape: [nEmbd, count],
      isExact: true,
    },
    stack('ffn_gate_exps', 'gate_up_proj', nEmbd, nFf, 0, 2),
    stack('ffn_up_exps', 'gate_up_proj', nEmbd, nFf, 1, 2),
    stack('ffn_down_exps', 'down_proj', nFf, nEmbd, 0, 1),
  ];
}

/** The same for the vision file. */
export function visionTensorsOf(config: CheckpointConfig): WantedTensor[] {
  const { family, vision } = config;
  const kernel = [family.patchPx, family.patchPx, 3, vision.nEmbd];
  const source = 'visual.patch_embed.proj.weight';
  return [
    { name: 'v.patch_embd.weight', source, shape: kernel, frame: 0 },
    { name: 'v.patch_embd.weight.1', source, shape: kernel, frame: 1 },
    ...(family.projector === 'qwen3vl_merger' ? qwen3Vision(config) : qwen2Vision(config)),
  ];
}

/** A matrix and its bias. */
function linear(name: string, source: string, nIn: number, nOut: number): WantedTensor[] {
  return [
    { name: `${name}.weight`, source: `${source}.weight`, shape: [nIn, nOut] },
    { name: `${name}.bias`, source: `${source}.bias`, shape: [nOut] },
  ];
}

function qwen2Vision({ text, vision }: CheckpointConfig): WantedTensor[] {
  const { nEmbd, nLayer, nFf } = vision;
  const nMerged = 4 * nEmbd;
  const layer = (i: number): WantedTensor[] => {
    const to = (name: string): string => `v.blk.${i}.${name}`;
    const from = (name: string): string => `visual.blocks.${i}.${name}`;
    const attention = ['attn_q', 'attn_k', 'attn_v'].flatMap((name, index) =>
      linear(to(name), from('attn.qkv'), nEmbd, nEmbd).map((tensor) => ({ ...tensor, part: { index, of: 3 } })),
    );
    return [
      { name: to('ln1.weight'), source: from('norm1.weight'), shape: [nEmbd] },
      ...attention,
      ...linear(to('attn_out'), from('attn.proj'), nEmbd, nEmbd),
      { name: to('ln2.weight'), source: from('norm2.weight'), shape: [nEmbd] },
      ...linear(to('ffn_gate'), from('mlp.gate_proj'), nEmbd, nFf),
      ...linear(to('ffn_up'), from('mlp.up_proj'), nEmbd, nFf),
      ...linear(to('ffn_down'), from('mlp.down_proj'), nFf, nEmbd),
    ];
  };
  return [
    ...Array.from({ length: nLayer }, (_, i) => layer(i)).flat(),
    { name: 'v.post_ln.weight', source: 'visual.merger.ln_q.weight', shape: [nEmbd] },
    ...linear('mm.0', 'visual.merger.mlp.0', nMerged, nMerged),
    ...linear('mm.2', 'visual.merger.mlp.2', nMerged, text.nEmbd),
  ];
}

function qwen3Vision({ family, text, vision }: CheckpointConfig): WantedTensor[] {
  const { nEmbd, nLayer, nFf, imageSizePx, deepstackLayers } = vision;
  const nMerged = 4 * nEmbd;
  const norm = (name: string, source: string, size: number): WantedTensor[] =>
    ['weight', 'bias'].map((part) => ({ name: `${name}.${part}`, source: `${source}.${part}`, shape: [size] }));
  const layer = (i: number): WantedTensor[] => {
    const to = (name: string): string => `v.blk.${i}.${name}`;
    const from = (name: string): string => `visual.blocks.${i}.${name}`;
    return [
      ...norm(to('ln1'), from('norm1'), nEmbd),
      ...linear(to('attn_qkv'), from('attn.qkv'), nEmbd, 3 * nEmbd),
      ...linear(to('attn_out'), from('attn.proj'), nEmbd, nEmbd),
      ...norm(to('ln2'), from('norm2'), nEmbd),
      ...linear(to('ffn_up'), from('mlp.linear_fc1'), nEmbd, nFf),
      ...linear(to('ffn_down'), from('mlp.linear_fc2'), nFf, nEmbd),
    ];
  };
  // Of the mergers the checkpoint counts, llama.cpp names the layers they are behind.
  const merger = (at: number, i: number): WantedTensor[] => [
    ...norm(`v.deepstack.${at}.norm`, `visual.deepstack_merger_list.${i}.norm`, nMerged),
    ...linear(`v.deepstack.${at}.fc1`, `visual.deepstack_merger_list.${i}.linear_fc1`, nMerged, nMerged),
    ...linear(`v.deepstack.${at}.fc2`, `visual.deepstack_merger_list.${i}.linear_fc2`, nMerged, text.nEmbd),
  ];
  return [
    { name: 'v.patch_embd.bias', source: 'visual.patch_embed.proj.bias', shape: [nEmbd] },
    {
      name: 'v.position_embd.weight',
      source: 'visual.pos_embed.weight',
      shape: [nEmbd, (imageSizePx / family.patchPx) ** 2],
      isExact: true,
    },
    ...Array.from({ length: nLayer }, (_, i) => layer(i)).flat(),
    ...norm('v.post_ln', 'visual.merger.norm', nEmbd),
    ...linear('mm.0', 'visual.merger.linear_fc1', nMerged, nMerged),
    ...linear('mm.2', 'visual.merger.linear_fc2', nMerged, text.nEmbd),
    ...deepstackLayers.flatMap(merger),
  ];
}
