import { GgufError } from './errors.js';
import type { LinearAttention } from './families/shapes.js';
import type { GgufHeader } from './reader.js';
import { checkText } from './validate/text.js';
import { qkvRuns, valueRuns, type Run } from './value-heads.js';

/** In what order llama.cpp has the rows of a matrix, or its columns; left out, in the checkpoint's. */
export interface LinearRuns {
  readonly rows?: readonly Run[];
  readonly columns?: readonly Run[];
}

interface Adapted {
  /** Of the base tensor. */
  readonly base: string;
  /** In the model PEFT wrapped. */
  readonly module: string;
}

/**
 * The order for each matrix that an adapter for the model `base` changes. A function of it
 *
 * @throws GgufError `UNSUPPORTED` where only the model it is for could tell, `INVALID` for one that does not
 */
export function linearOrder(base: GgufHeader | undefined): (adapted: Adapted) => LinearRuns {
  let linear: LinearAttention | undefined;
  return ({ module, base: name }) => {
    const [, place] = /\.linear_attn\.(\w+)$/.exec(module) ?? [];
    if (place === undefined) return {};
    if (!base)
      throw new GgufError(
        'UNSUPPORTED',
        `${name}: in what order its rows go is the model's to say; name the model it is for (--base)`,
      );
    linear ??= linearAttentionOf(base);
    if (place === 'out_proj') return { columns: valueRuns(linear, linear.headSize) };
    if (place === 'in_proj_qkv') return { rows: qkvRuns(linear) };
    return { rows: valueRuns(linear, place === 'in_proj_z' ? linear.headSize : 1) };
  };
}

function linearAttentionOf(base: GgufHeader): LinearAttention {
  const check = checkText(base);
  let step = check.next();
  while (!step.done) step = check.next();
  if (step.value?.linear) return step.value.linear;
  throw new GgufError('INVALID', `${base.path} does not say how its linear attention is made`);
}
