import { linearWidthsOf, type LinearAttention } from '../families/shapes.js';
import type { WantedTensor } from './wanted-tensor.js';
import { qkvRuns, valueRuns } from '../value-heads.js';

/** The tensors of a layer that keeps a running state, beside its norms and its feed-forward network. */
export function linearAttentionTensorsOf(layer: number, nEmbd: number, linear: LinearAttention): WantedTensor[] {
  const { nConv, nValueHeads, headSize } = linear;
  const { nValue, nQkv } = linearWidthsOf(linear);
  const make = (
    name: string,
    source: string,
    shape: readonly number[],
    more: Omit<WantedTensor, 'name' | 'source' | 'shape'> = {},
  ): WantedTensor => ({
    name: `blk.${layer}.${name}`,
    source: `model.layers.${layer}.linear_attn.${source}`,
    shape,
    ...more,
  });
  const qkv = qkvRuns(linear);
  const values = valueRuns(linear, headSize);
  const heads = valueRuns(linear, 1);
  return [
    make('attn_qkv.weight', 'in_proj_qkv.weight', [nEmbd, nQkv], { rows: qkv }),
    make('attn_gate.weight', 'in_proj_z.weight', [nEmbd, nValue], { rows: values }),
    make('ssm_conv1d.weight', 'conv1d.weight', [nConv, nQkv], { rows: qkv, isExact: true, isSqueezed: true }),
    make('ssm_dt.bias', 'dt_bias', [nValueHeads], { columns: heads }),
    // A checkpoint has the logarithm of how fast a state fades.
    make('ssm_a', 'A_log', [nValueHeads], { columns: heads, value: (log) => -Math.exp(log) }),
    make('ssm_beta.weight', 'in_proj_b.weight', [nEmbd, nValueHeads], { rows: heads }),
    make('ssm_alpha.weight', 'in_proj_a.weight', [nEmbd, nValueHeads], { rows: heads }),
    make('ssm_norm.weight', 'norm.weight', [headSize]),
    make('ssm_out.weight', 'out_proj.weight', [nValue, nEmbd], { columns: values }),
  ];
}
