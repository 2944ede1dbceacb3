import { counted } from '../base/counted.js';
import { csv } from '../base/csv.js';
import { bootstrapSamples, figureText, percentileInterval } from '../base/intervals.js';
import { markdownTable } from '../base/text-table.js';
import { CONDITIONS, type Condition, type GroupAttention, type PhotoAttention } from './photo-attention.js';
import { TOKEN_GROUPS, type TokenGroup } from './token-groups.js';

export const ATTENTION_FIGURES = ['share', 'lift', 'normalised'] as const;
export type AttentionFigure = (typeof ATTENTION_FIGURES)[number];

/** Mean over the photos that have such tokens, with its bootstrap 95 % interval. */
export interface AttentionCell {
  readonly group: TokenGroup;
  readonly condition: Condition;
  readonly figure: AttentionFigure;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly nPhotos: number;
}

/** Everything an attention analysis found, as plain JSON. */
export interface AttentionResult {
  readonly schemaVersion: 1;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly model: { readonly name: string; readonly sha256: string; readonly promptVersion: string };
  readonly isTrained: boolean;
  readonly nLayer: number;
  readonly nHead: number;
  readonly table: readonly AttentionCell[];
  readonly photos: readonly (PhotoAttention & { readonly path: string })[];
}

export const GROUP_LABELS: Readonly<Record<TokenGroup, string>> = {
  names: 'element names',
  coordinates: 'coordinates',
  form: 'rest of the analysis',
  photoInside: 'photo, on elements',
  photoOutside: 'photo, elsewhere',
  secondInside: 'second image, on elements',
  secondOutside: 'second image, elsewhere',
  prompts: 'prompts',
  answer: "the answer's earlier tokens",
};

export function attentionTable(photos: readonly PhotoAttention[]): AttentionCell[] {
  return TOKEN_GROUPS.flatMap((group) =>
    CONDITIONS.flatMap((condition) =>
      ATTENTION_FIGURES.map((figure): AttentionCell => {
        const values = photos
          .map(({ conditions }) => conditions[condition].mean[group][figure])
          .filter((value) => value !== null);
        const mean = (sums: readonly number[], n: number): number => sums[0]! / n;
        const rows = values.map((value) => [value]);
        const { low, high } = percentileInterval(bootstrapSamples(rows, [mean])[0]!);
        const value = values.length > 0 ? values.reduce((sum, each) => sum + each, 0) / values.length : NaN;
        const [safe, safeLow, safeHigh] = [value, low, high].map((x) => (Number.isFinite(x) ? x : null));
        return { group, condition, figure, value: safe!, low: safeLow!, high: safeHigh!, nPhotos: values.length };
      }),
    ),
  );
}

/** The table as Markdown: a line a group, with and without enhancement side by side. */
export function attentionMarkdown({ table, photos, model }: AttentionResult): string {
  const cell = (group: TokenGroup, condition: Condition, figure: AttentionFigure): string =>
    figureText(table.find((each) => each.group === group && each.condition === condition && each.figure === figure)!);
  const columns = ATTENTION_FIGURES.flatMap((figure) => CONDITIONS.map((condition) => ({ figure, condition })));
  const rows = [
    ['attended', ...columns.map(({ figure, condition }) => `${figure}, ${condition}`)],
    ...TOKEN_GROUPS.map((group) => [
      GROUP_LABELS[group],
      ...columns.map(({ figure, condition }) => cell(group, condition, figure)),
    ]),
  ];
  const what = `Model ${model.name}, ${model.sha256.slice(0, 12)}, prompts ${model.promptVersion}; ${counted(photos.length, 'photo')}.`;
  return `${what}\n\n${markdownTable(rows).join('\n')}\n`;
}

/** One line a photo, condition, layer, head and group; layer and head are `mean` for the mean over all. */
export function attentionCsv({ photos }: AttentionResult): string {
  const rows: (string | number | null)[][] = [
    ['photo', 'condition', 'layer', 'head', 'group', 'tokens', 'share', 'lift', 'normalised'],
  ];
  for (const { path, conditions } of photos) {
    for (const condition of CONDITIONS) {
      const { mean, byHead, nTokens } = conditions[condition];
      const add = (layer: number | string, head: number | string, groups: typeof mean): void => {
        for (const group of TOKEN_GROUPS) {
          const { share, lift, normalised }: GroupAttention = groups[group];
          rows.push([path, condition, layer, head, group, nTokens[group], share, lift, normalised]);
        }
      };
      add('mean', 'mean', mean);
      byHead.forEach((heads, layer) => {
        heads.forEach((groups, head) => {
          add(layer, head, groups);
        });
      });
    }
  }
  return csv(rows);
}
