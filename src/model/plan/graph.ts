/** Bytes of one value of the types that occur in compute graphs. */
export const VALUE_BYTES = { F32: 4, F16: 2, I32: 4, I64: 8 } as const;
export type ValueType = keyof typeof VALUE_BYTES;

/** Where an operation runs: buffers of the two are apart. */
export type Place = 'host' | 'gpu';

/** A tensor of a compute graph: only what its memory depends on. */
export interface GraphTensor {
  /** Source tensors that are not weights or cache: those have their memory elsewhere. */
  readonly sources: readonly GraphTensor[];
  /** The tensor whose memory a view shows. */
  readonly viewOf: GraphTensor | undefined;
  /** A view of weights or cache: no memory here. */
  readonly isExternal: boolean;
  readonly isInput: boolean;
  /** May take over the memory of a source of the same layout that nobody else needs. */
  readonly canReuse: boolean;
  readonly nBytes: number;
  /** Type and shape; equal for two tensors that may share memory. */
  readonly layout: string;
  readonly place: Place;
}

export interface Graph {
  /** Inputs, in the order they are met. */
  readonly leafs: readonly GraphTensor[];
  /** Operations and views, in the order they run. */
  readonly nodes: readonly GraphTensor[];
}

export type Shape = readonly number[];

/**
 * Operations that `ggml_op_can_inplace` (ggml-alloc.c) names, of those our graphs use. It names rope too, but in Qwen2.5-VL and
 * Qwen3-VL, behind a reshape, rope gets memory of its own: counted so, the buffers come out to the byte.
 */
const REUSING = new Set(['add', 'clamp', 'div', 'mul', 'rms_norm', 'rope_in_place', 'scale', 'soft_max', 'unary']);

/** Builds a graph in the order ggml_build_forward_expand does: sources first, depth first. */
export class GraphBuilder {
  readonly #leafs: GraphTensor[] = [];
  readonly #nodes: GraphTensor[] = [];
  readonly #visited = new Set<GraphTensor>();
  readonly #copies = new Map<GraphTensor, GraphTensor>();
  place: Place = 'host';

  input(type: ValueType, shape: Shape): GraphTensor {
    return this.#make([], type, shape, { isInput: true });
  }

  op(name: string, sources: readonly GraphTensor[], type: ValueType, shape: Shape): GraphTensor {
    return this.#make(sources, type, shape, { canReuse: REUSING.has(name) });
  }

  /** The same values under another shape. `reordered` for permutations: another layout even where the sizes are equal. */
  view(of: GraphTensor, type: ValueType, shape: Shape, reordered = false): GraphTensor {
    const layout = `${layoutOf(type, shape)}${reordered ? ' reordered' : ''}`;
    return this.#make([of], type, shape, { viewOf: of.viewOf ?? of, isExternal: of.isExternal, layout });
  }

  /** A view of weights or cache that these operations feed. */
  external(sources: readonly GraphTensor[] = []): GraphTensor {
    return this.#make(sources, 'F32', [0], { isExternal: true });
  }

  expand(tensor: GraphTensor): void {
    if (this.#visited.has(tensor)) return;
    this.#visited.add(tensor);
    for (const source of tensor.sources) this.expand(source);
    (tensor.isInput ? this.#leafs : this.#nodes).push(tensor);
  }

  graph(): Graph {
    return { leafs: this.#leafs, nodes: this.#nodes };
  }

  #make(
    sources: readonly GraphTensor[],
    type: ValueType,
    shape: Shape,
    facts: Partial<Pick<GraphTensor, 'viewOf' | 'isExternal' | 'isInput' | 'canReuse' | 'layout'>>,
  ): GraphTensor {
    const isView = facts.viewOf !== undefined;
    return {
      sources: isView ? sources : sources.map((source) => this.#here(source)),
      viewOf: undefined,
      isExternal: false,
      isInput: false,
      canReuse: false,
      layout: layoutOf(type, shape),
      nBytes: shape.reduce((product, n) => product * n, VALUE_BYTES[type]),
      place: isView ? sources[0]!.place : this.place,
      ...facts,
    };
  }

  /** What lies in the other memory is copied over once (ggml_backend_sched_split_graph). */
  #here(tensor: GraphTensor): GraphTensor {
    if (tensor.place === this.place || tensor.isExternal) return tensor;
    const known = this.#copies.get(tensor);
    if (known?.place === this.place) return known;
    const copy: GraphTensor = {
      ...tensor,
      sources: [tensor],
      viewOf: undefined,
      isInput: false,
      canReuse: false,
      place: this.place,
    };
    this.#copies.set(tensor, copy);
    return copy;
  }
}

function layoutOf(type: ValueType, shape: Shape): string {
  const sizes = [...shape];
  while (sizes.length < 4) sizes.push(1);
  return `${type} ${sizes.join(' x ')}`;
}
