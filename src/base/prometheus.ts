/** A figure with its labels as `{route="/v1/crop"}`; empty for none. */
export type Sample = readonly [labels: string, value: number];

/** Figures of one name, which gets `framewright_` before it, for Prometheus in its text format 0.0.4. */
export function family(
  name: string,
  type: 'counter' | 'gauge' | 'histogram',
  help: string,
  samples: readonly Sample[],
): string {
  const head = `# HELP framewright_${name} ${help}\n# TYPE framewright_${name} ${type}\n`;
  return head + samples.map(([labels, value]) => `framewright_${name}${labels} ${value}\n`).join('');
}
