import { aggregate } from '../../src/eval/aggregate.js';
import type { Dataset } from '../../src/eval/datasets/types.js';
import type { Method } from '../../src/eval/methods/types.js';
import { runEvaluation, type RunOptions } from '../../src/eval/run.js';

/** The figures of each method by their ids. */
export async function figures(
  dataset: Dataset,
  methods: Method[],
  options?: RunOptions,
): Promise<Record<string, number>[]> {
  const result = aggregate(await runEvaluation(dataset, methods, options), { resamples: 10 });
  return result.methods.map((method) =>
    Object.fromEntries(Object.entries(method.figures).map(([id, { value }]) => [id, value ?? NaN])),
  );
}
