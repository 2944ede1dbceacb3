import sharp from 'sharp';
import type { Box, Size } from '../../base/geometry.js';
import { fillPage } from '../../report/page.js';
import type { Split } from '../sources/types.js';
import type { PhotoRecords } from '../targets/photo-records.js';
import type { Turn } from '../written-conversation.js';
import type { ExportFacts } from './export-schema.js';

/** One photo of the page, as it is trained on. */
export interface Sample {
  readonly id: string;
  readonly split: Split;
  readonly frame: Size;
  /** How far the boxes' coordinates reach over it. */
  readonly space: Size;
  /** Data URIs of JPEGs: what is seen first, and with its composition drawn. */
  readonly image: string;
  readonly enhanced?: string;
  readonly candidates: readonly Box[];
  readonly best?: number;
  readonly pairs: readonly { readonly kind: string; readonly chosen: Box; readonly rejected: Box }[];
  readonly turns: readonly Turn[];
}

/** What the page's script finds as `report.data`. */
export interface SamplesData {
  readonly facts: Pick<ExportFacts, 'source' | 'family' | 'promptVersion' | 'counts' | 'seed' | 'analysis'>;
  readonly summary: string;
  readonly samples: readonly Sample[];
}

const QUALITY = 75;

/** @param enhanced the frame with the composition drawn on it, where the conversation shows it */
export async function sampleOf(
  { id, split, frame, space }: Pick<Sample, 'id' | 'split' | 'frame' | 'space'>,
  { sft, dpo }: PhotoRecords,
  rgb: Uint8Array,
  enhanced: Uint8Array | undefined,
): Promise<Sample> {
  const uri = async (pixels: Uint8Array): Promise<string> => {
    const jpeg = await sharp(pixels, { raw: { ...frame, channels: 3 } })
      .jpeg({ quality: QUALITY })
      .toBuffer();
    return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
  };
  return {
    id,
    split,
    frame,
    space,
    image: await uri(rgb),
    ...(enhanced && { enhanced: await uri(enhanced) }),
    candidates: sft?.shown.candidates ?? [],
    ...(sft?.shown.best !== undefined && { best: sft.shown.best }),
    pairs: pairsShown(dpo),
    turns: sft?.turns ?? dpo[0]?.turns ?? [],
  };
}

/** Each pair once, with the answers it is about. */
function pairsShown(dpo: PhotoRecords['dpo']): Sample['pairs'] {
  const pairs = new Map<string, Sample['pairs'][number]>();
  for (const { kind, shown } of dpo) {
    const key = `${shown.chosen.join()} ${shown.rejected.join()}`;
    const before = pairs.get(key);
    pairs.set(key, { kind: before ? `${before.kind}, ${kind}` : kind, ...shown });
  }
  return [...pairs.values()];
}

/** One HTML page of samples that needs nothing else. */
export function renderSamples(data: SamplesData): Promise<string> {
  return fillPage('samples', { title: `Training data: ${data.facts.source}`, data, scripts: ['page.js'] });
}
