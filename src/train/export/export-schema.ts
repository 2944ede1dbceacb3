import { boxSchema } from '../../base/schema.js';
import { z } from 'zod';
import { IMAGE_TAG } from '../written-conversation.js';
import { SPLITS } from '../sources/types.js';

/** Files of an export folder. */
export const EXPORT_FILES = {
  info: 'dataset_info.json',
  sft: { train: 'sft.json', heldout: 'sft.heldout.json' },
  dpo: { train: 'dpo.json', heldout: 'dpo.heldout.json' },
  facts: 'export.json',
  images: 'images',
  summary: 'summary.txt',
  samples: 'samples.html',
} as const;

const human = z.strictObject({ from: z.literal('human'), value: z.string().min(1) });
const gpt = z.strictObject({ from: z.literal('gpt'), value: z.string().min(1) });

/** Turns in alternation, the user's first. */
const turns = z
  .array(z.union([human, gpt]))
  .refine((said) => said.every(({ from }, i) => from === (i % 2 === 0 ? 'human' : 'gpt')), {
    message: 'the turns must alternate, human first',
  });
const common = {
  /** Paths relative to the export folder, in the order of the `<image>` tags. */
  images: z.array(z.string().min(1)).min(1),
  /** The system's words, where the prompts have any. */
  system: z.string().optional(),
};

function tagsMatch(record: { conversations: readonly { value: string }[]; images: readonly string[] }): boolean {
  const nTags = record.conversations.reduce((n, { value }) => n + value.split(IMAGE_TAG).length - 1, 0);
  return nTags === record.images.length;
}
const TAGS = { message: `there must be as many ${IMAGE_TAG} tags as images` };

/** A record of LLaMA-Factory's sharegpt format with images: a conversation whose every answer is learned. */
export const sftRecordSchema = z
  .strictObject({
    conversations: turns.refine((said) => said.length >= 2 && said.length % 2 === 0, {
      message: 'the conversation must end with an answer',
    }),
    ...common,
  })
  .refine(tagsMatch, TAGS);
export type SftRecord = z.infer<typeof sftRecordSchema>;

/** A record of its ranking format: a question with a better and a worse answer. */
export const dpoRecordSchema = z
  .strictObject({
    conversations: turns.refine((said) => said.length % 2 === 1, {
      message: 'the conversation must end with a question',
    }),
    chosen: gpt,
    rejected: gpt,
    ...common,
  })
  .refine(tagsMatch, TAGS)
  .refine(({ chosen, rejected }) => chosen.value !== rejected.value, { message: 'chosen and rejected are the same' });
export type DpoRecord = z.infer<typeof dpoRecordSchema>;

const dataset = z.strictObject({
  file_name: z.string().min(1),
  formatting: z.literal('sharegpt'),
  ranking: z.literal(true).optional(),
  columns: z.strictObject({
    messages: z.literal('conversations'),
    images: z.literal('images'),
    system: z.literal('system'),
    chosen: z.literal('chosen').optional(),
    rejected: z.literal('rejected').optional(),
  }),
});

/** `dataset_info.json`: which file is what. */
export const datasetInfoSchema = z.record(z.string(), dataset);

const counts = z.strictObject({ photos: z.int(), sft: z.int(), dpo: z.int() });

/** `export.json`: what the data was made from and for. */
export const exportFactsSchema = z.strictObject({
  schemaVersion: z.literal(1),
  framewright: z.string(),
  source: z.string(),
  family: z.string(),
  promptProfile: z.string(),
  /** Equal exactly when the prompts are. */
  promptVersion: z.string(),
  /** Area of a frame in pixels, and the side of the square both its sides are multiples of. */
  pixelBudget: z.strictObject({ min: z.int().positive(), max: z.int().positive(), cellPx: z.int().positive() }),
  /** Whether positions are written into the images, as the model's manifest asks for. */
  positionRamps: z.boolean(),
  /** Who named the compositions that nobody labelled. */
  analysis: z.string(),
  seed: z.int(),
  counts: z.record(z.enum(SPLITS), counts),
  photos: z.array(
    z.strictObject({
      id: z.string(),
      /** Where only this much of the upright photo is shown, in its pixels. */
      part: boxSchema.optional(),
      split: z.enum(SPLITS),
      image: z.string(),
      /** The same with the composition drawn on it. */
      enhanced: z.string().optional(),
      frame: z.strictObject({ width: z.int().positive(), height: z.int().positive() }),
    }),
  ),
  /** Photos and labels left out, each with the reason. */
  leftOut: z.array(z.strictObject({ id: z.string(), reason: z.string() })),
});
export type ExportFacts = z.infer<typeof exportFactsSchema>;

/** The names the data have for LLaMA-Factory. */
export function datasetInfo(): z.infer<typeof datasetInfoSchema> {
  const columns = { messages: 'conversations', images: 'images', system: 'system' } as const;
  const ranked = { ...columns, chosen: 'chosen', rejected: 'rejected' } as const;
  const { sft, dpo } = EXPORT_FILES;
  return {
    crop_sft: { file_name: sft.train, formatting: 'sharegpt', columns },
    crop_sft_heldout: { file_name: sft.heldout, formatting: 'sharegpt', columns },
    crop_dpo: { file_name: dpo.train, formatting: 'sharegpt', ranking: true, columns: ranked },
    crop_dpo_heldout: { file_name: dpo.heldout, formatting: 'sharegpt', ranking: true, columns: ranked },
  };
}
