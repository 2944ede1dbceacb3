import path from 'node:path';
import { z } from 'zod';
import { cellPxOf, FAMILIES, NUMBER_POLICIES, type ModelFamily } from '../../gguf/index.js';
import { FramewrightError, messageOf } from '../base/errors.js';
import { readJsonFile } from '../files/json-file.js';
import { isInside } from '../files/inside.js';

/** What a system call takes as the name of a file. */
export const fileNameSchema = z
  .string()
  .min(1)
  .refine((name) => !name.includes('\0'), 'the name of a file has no NUL');

const fileSchema = z.object({
  /** Relative to the manifest. */
  name: fileNameSchema,
  /** Compared with the file, where they are given. */
  bytes: z.int().positive().optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});

/** All of a manifest that decides a model's answers, besides its files. */
export const modelUseSchema = z.object({
  /** How the model is asked: a folder of the package's `prompts/`, or a profile of its own, a `.json` file beside the manifest. */
  promptProfile: z.string().min(1),
  /** Area of the model frame in pixels. */
  pixelBudget: z.object({ min: z.int().positive(), max: z.int().positive() }),
  /** Cells of KV cache one photo's conversation may take. */
  contextCells: z.int().positive(),
  preprocess: z.object({ positionRamps: z.boolean() }),
  overlay: z.object({ labels: z.boolean() }),
  /** Free candidates get their edges moved a little, to where they cut through less: for coarse coordinates. */
  placeEdges: z.boolean(),
  /**
   * How the numbers of its answers are chosen: the likeliest, or the median of all that may stand there. Default: what the
   * text model's own file says (`framewright.numbers`), else the likeliest. An adapter that was made for one of them has its way.
   */
  numbers: z.enum(NUMBER_POLICIES).optional(),
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

/**
 * Image tokens a photo is seen with where nothing else is said. Qwen-VL models place boxes badly below 1,024, of which
 * llama.cpp warns; 1,280 is the most that Qwen2.5-VL's model card uses in its examples.
 */
export const DEFAULT_IMAGE_TOKENS = { min: 1024, max: 1280 } as const;

/** How a GGUF without a manifest is used: with the full prompts. */
export function defaultUse(family: ModelFamily): ModelUse {
  const { min, max } = DEFAULT_IMAGE_TOKENS;
  const cellPx = cellPxOf(family);
  return {
    promptProfile: 'standard',
    pixelBudget: { min: min * cellPx ** 2, max: max * cellPx ** 2 },
    contextCells: 8192,
    preprocess: { positionRamps: false },
    overlay: { labels: true },
    placeEdges: false,
  };
}

/** Of a Qwen2.5-VL. */
export const DEFAULT_USE = defaultUse(FAMILIES.qwen2vl);

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

/** A prompt profile that is no name: the path of a file. */
export function isProfileFile(promptProfile: string): boolean {
  return promptProfile.toLowerCase().endsWith('.json');
}

/**
 * A manifest without what is no use of the model, with the path of its prompt profile for the name of one beside it.
 *
 * @throws FramewrightError MODEL_INVALID for a profile outside the manifest's folder
 */
export function useOf(manifest: Manifest, folder: string): ModelUse {
  const use = modelUseSchema.parse(manifest);
  const { promptProfile } = use;
  if (!isProfileFile(promptProfile)) return use;
  if (!isInside(promptProfile)) {
    const file = path.join(folder, 'manifest.json');
    throw new FramewrightError(
      'MODEL_INVALID',
      `the model manifest ${file} is wrong at promptProfile: ${promptProfile} does not lie in the model's folder`,
    );
  }
  return { ...use, promptProfile: path.join(folder, promptProfile) };
}
