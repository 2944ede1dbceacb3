import { z } from 'zod';
import { FramewrightError, messageOf } from '../base/errors.js';
import { readJsonFile } from '../files/json-file.js';

/** What a system call takes as the name of a file. */
export const fileNameSchema = z
  .string()
  .min(1)
  .refine((name) => !name.includes('\0'), 'the name of a file has no NUL');

const fileSchema = z.object({
  /** Relative to the manifest. */
  name: fileNameSchema,
  bytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** All of a manifest that decides a model's answers, besides its files. */
export const modelUseSchema = z.object({
  /** A folder of `prompts/`: the prompts the model was trained on. */
  promptProfile: z.string(),
  /** Area of the model frame in pixels. */
  pixelBudget: z.object({ min: z.int().positive(), max: z.int().positive() }),
  /** Cells of KV cache one photo's conversation may take. */
  contextCells: z.int().positive(),
  preprocess: z.object({ positionRamps: z.boolean() }),
  overlay: z.object({ labels: z.boolean() }),
  /** Free candidates get their edges moved a little, to where they cut through less: for coarse coordinates. */
  placeEdges: z.boolean(),
});
export type ModelUse = z.infer<typeof modelUseSchema>;

/** `manifest.json` beside a model's files: how the model wants to be used. The code knows no model by name. */
export const manifestSchema = z.object({
  schemaVersion: z.literal(1),
  name: z.string().min(1),
  licence: z.string(),
  /** False: random weights, for tests and as a stand-in; the command warns. */
  trained: z.boolean(),
  files: z.object({ text: fileSchema, mmproj: fileSchema }),
  ...modelUseSchema.shape,
  placeEdges: modelUseSchema.shape.placeEdges.default(false),
  /** Where the weights come from, terms of the data, measured figures: free text for people. */
  notes: z.record(z.string(), z.unknown()).optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** How a GGUF without a manifest is used: at most 768 x 768 pixels, a size of our choice, and the full prompts. */
export const DEFAULT_USE = {
  promptProfile: 'standard',
  pixelBudget: { min: 200_704, max: 589_824 },
  contextCells: 8192,
  preprocess: { positionRamps: false },
  overlay: { labels: true },
  placeEdges: false,
} as const satisfies Partial<Manifest>;

export async function readManifest(file: string): Promise<Manifest> {
  let parsed: unknown;
  try {
    parsed = await readJsonFile(file, 'model manifest');
  } catch (error) {
    throw new FramewrightError('MODEL_INVALID', `cannot read the model manifest ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const result = manifestSchema.safeParse(parsed);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new FramewrightError('MODEL_INVALID', `the model manifest ${file} is wrong at ${path.join('.')}: ${message}`);
}

/** A manifest without what is no use of the model. */
export function useOf(manifest: Manifest): ModelUse {
  return modelUseSchema.parse(manifest);
}
