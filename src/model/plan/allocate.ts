import type { Graph, GraphTensor, Place } from './graph.js';

/** TENSOR_ALIGNMENT of ggml's CPU buffers is 64, the alignment of CUDA's and Vulkan's at most 256. */
const ALIGNMENT: Readonly<Record<Place, number>> = { host: 64, gpu: 256 };

interface Held {
  nChildren: number;
  nViews: number;
  offset: number;
  allocated: boolean;
}

/**
 * Bytes of compute buffer a graph takes, in each memory: ggml's own allocator (ggml/src/ggml-alloc.c,
 * ggml_gallocr_alloc_graph_impl) played through without memory. Best fit, freed when the last reader has run, in place
 * where the operation allows it.
 */
export function computeBytes({ leafs, nodes }: Graph): Record<Place, number> {
  const held = new Map<GraphTensor, Held>();
  const arenas: Record<Place, Arena> = { host: new Arena(ALIGNMENT.host), gpu: new Arena(ALIGNMENT.gpu) };
  const of = (tensor: GraphTensor): Held => {
    let entry = held.get(tensor);
    if (!entry) held.set(tensor, (entry = { nChildren: 0, nViews: 0, offset: -1, allocated: false }));
    return entry;
  };

  const allocate = (tensor: GraphTensor): void => {
    const own = of(tensor);
    if (own.allocated || tensor.isExternal || tensor.viewOf) return;
    own.allocated = true;
    const arena = arenas[tensor.place];
    if (tensor.canReuse) {
      for (const parent of tensor.sources) {
        const root = parent.viewOf ?? parent;
        if (root.isExternal || !of(root).allocated || root.place !== tensor.place) continue;
        if (parent.layout !== tensor.layout || of(parent).nChildren !== 1 || of(parent).nViews !== 0) continue;
        if (parent.viewOf && (of(root).nViews !== 1 || of(root).nChildren !== 0)) continue;
        own.offset = of(root).offset;
        of(root).allocated = false;
        arena.shrink(own.offset, root.nBytes, tensor.nBytes);
        return;
      }
    }
    own.offset = arena.take(tensor.nBytes);
  };
  const release = (tensor: GraphTensor): void => {
    arenas[tensor.place].give(of(tensor).offset, tensor.nBytes);
    of(tensor).allocated = false;
  };

  for (const leaf of leafs) allocate(leaf);
  for (const node of nodes) {
    if (node.viewOf) of(node.viewOf).nViews++;
    for (const source of node.sources) of(source).nChildren++;
  }
  for (const node of nodes) {
    for (const source of node.sources) allocate(source);
    allocate(node);
    for (const source of node.sources) {
      const entry = of(source);
      entry.nChildren--;
      if (entry.nChildren > 0 || entry.nViews > 0) continue;
      const root = source.viewOf;
      if (root) {
        of(root).nViews--;
        if (of(root).nViews === 0 && of(root).nChildren === 0 && of(root).allocated) release(root);
      } else if (entry.allocated) release(source);
    }
  }
  return { host: arenas.host.most, gpu: arenas.gpu.most };
}

interface Block {
  offset: number;
  size: number;
}

/** One buffer that grows at its end. */
class Arena {
  most = 0;
  readonly #alignment: number;
  /** Free, by offset; the last one has no end. */
  readonly #free: Block[] = [{ offset: 0, size: Infinity }];

  constructor(alignment: number) {
    this.#alignment = alignment;
  }

  take(nBytes: number): number {
    const size = this.#aligned(nBytes);
    let best = this.#free.length - 1;
    for (let i = 0; i < this.#free.length - 1; i++) {
      const block = this.#free[i]!;
      if (block.size >= size && block.size <= this.#free[best]!.size) best = i;
    }
    const block = this.#free[best]!;
    const { offset } = block;
    block.offset += size;
    block.size -= size;
    if (block.size === 0) this.#free.splice(best, 1);
    this.most = Math.max(this.most, offset + size);
    return offset;
  }

  give(offset: number, nBytes: number): void {
    const size = this.#aligned(nBytes);
    if (size === 0) return;
    const at = this.#free.findIndex((block) => block.offset > offset);
    const next = this.#free[at]!;
    const before = this.#free[at - 1];
    if (before && before.offset + before.size === offset) {
      before.size += size;
      if (before.offset + before.size === next.offset) {
        before.size += next.size;
        this.#free.splice(at, 1);
      }
    } else if (offset + size === next.offset) {
      next.offset = offset;
      next.size += size;
    } else this.#free.splice(at, 0, { offset, size });
  }

  /** Frees the end of a block whose new owner is smaller. */
  shrink(offset: number, fromBytes: number, toBytes: number): void {
    const kept = this.#aligned(toBytes);
    this.give(offset + kept, this.#aligned(fromBytes) - kept);
  }

  #aligned(nBytes: number): number {
    return Math.ceil(nBytes / this.#alignment) * this.#alignment;
  }
}
