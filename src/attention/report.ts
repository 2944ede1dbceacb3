import { counted } from '../base/counted.js';
import { decodePhoto } from '../photo/decode.js';
import { fillPage } from '../report/page.js';
import { makeThumbnail, type Thumbnail } from '../report/thumbnail.js';
import { CONDITIONS, type Condition, type PhotoAttention } from './photo-attention.js';
import { ATTENTION_FIGURES, GROUP_LABELS, type AttentionFigure, type AttentionResult } from './tables.js';
import { TOKEN_GROUPS, type TokenGroup } from './token-groups.js';

const THUMBNAIL_SIDE = 320;
/** Photos whose maps go into the page; the figures are over all. */
const MAX_PHOTOS = 100;

/** What the script of the page reads (report/attention). */
export interface AttentionReportData extends Omit<AttentionResult, 'photos'> {
  readonly groups: readonly { readonly id: TokenGroup; readonly label: string }[];
  readonly conditions: readonly Condition[];
  readonly figures: readonly AttentionFigure[];
  readonly nPhotos: number;
  /** By `condition figure group`, `[layer][head]`: means over the photos that have such tokens. */
  readonly byHead: Readonly<Record<string, readonly (readonly (number | null)[])[]>>;
  readonly photos: readonly {
    readonly path: string;
    readonly thumbnail: Thumbnail;
    readonly grid: readonly [number, number];
    readonly inside: readonly boolean[];
    /** By condition, `[image][layer][cell]`. */
    readonly maps: Readonly<Record<Condition, PhotoAttention['conditions'][Condition]['maps']>>;
  }[];
}

/** One HTML page that needs nothing else: the table, layers by heads, and maps over the photos. */
export async function renderAttentionReport(
  result: AttentionResult,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<string> {
  const { photos, ...rest } = result;
  const data: AttentionReportData = {
    ...rest,
    groups: TOKEN_GROUPS.map((id) => ({ id, label: GROUP_LABELS[id] })),
    conditions: CONDITIONS,
    figures: ATTENTION_FIGURES,
    nPhotos: photos.length,
    byHead: meansByHead(result),
    photos: await Promise.all(
      photos.slice(0, MAX_PHOTOS).map(async ({ path, grid, inside, conditions }) => ({
        path,
        thumbnail: await makeThumbnail(await decodePhoto(path), THUMBNAIL_SIDE, signal),
        grid: [grid.width, grid.height] as const,
        inside,
        maps: { enhanced: rounded(conditions.enhanced.maps), plain: rounded(conditions.plain.maps) },
      })),
    ),
  };
  return fillPage('attention', {
    title: `Attention: ${result.model.name}, ${counted(photos.length, 'photo')}`,
    data,
    scripts: ['page.js'],
  });
}

function meansByHead({ photos, nLayer, nHead }: AttentionResult): AttentionReportData['byHead'] {
  const entries = CONDITIONS.flatMap((condition) =>
    ATTENTION_FIGURES.flatMap((figure) =>
      TOKEN_GROUPS.map((group) => {
        const layers = Array.from({ length: nLayer }, (_, layer) =>
          Array.from({ length: nHead }, (__, head) => {
            const values = photos
              .map(({ conditions }) => conditions[condition].byHead[layer]![head]![group][figure])
              .filter((value) => value !== null);
            return values.length > 0 ? round(values.reduce((sum, value) => sum + value, 0) / values.length) : null;
          }),
        );
        return [`${condition} ${figure} ${group}`, layers] as const;
      }),
    ),
  );
  return Object.fromEntries(entries);
}

function rounded(maps: PhotoAttention['conditions'][Condition]['maps']): typeof maps {
  return maps.map((layers) => layers.map((cells) => cells.map(round)));
}

/** Digits beyond what can be seen would make up most of the page. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}
