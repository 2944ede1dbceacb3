import { z } from 'zod';
import { cropResultSchema, elementSchema, refusedTargetSchema } from '../../base/schema.js';
import { PROBLEM_CODES } from '../problem.js';

/** An error, as RFC 9457 has it. */
export const problemSchema = z.object({
  type: z.literal('about:blank'),
  /** The code once more. */
  title: z.string(),
  /** Of HTTP. */
  status: z.int(),
  /** What went wrong, for a program; those of the library are those of the command. */
  code: z.enum(PROBLEM_CODES),
  /** What went wrong and what to do, for people. */
  detail: z.string(),
});

/** The crops of a photo. */
export const cropAnswerSchema = z.object({
  /** One for each ratio and size that the photo has a crop for, ratios first; at least one. */
  crops: z.array(cropResultSchema),
  /** The ratios and sizes that it has none for. */
  refused: z.array(refusedTargetSchema),
});
export type CropAnswer = z.infer<typeof cropAnswerSchema>;

/** The composition of a photo. */
export const analyseAnswerSchema = z.object({
  /** In pixels of the upright photo. */
  elements: z.array(elementSchema),
  /** Where it was asked for: how the photo is turned against the scene in it; null where nothing says which way is up. */
  tilt: z
    .object({
      /** The clockwise turn that makes the scene upright. */
      angleDeg: z.number(),
      /** 0..1 */
      confidence: z.number(),
      from: z.enum(['horizon', 'verticals']),
      /** How far upright edges at the left and right border lean apart at their upper ends; negative: together. */
      keystoneDeg: z.number().optional(),
    })
    .nullable()
    .optional(),
});
export type AnalyseAnswer = z.infer<typeof analyseAnswerSchema>;

/** How likely rectangles are. */
export const rankAnswerSchema = z.object({
  /** Natural log-likelihood of each rectangle as the crop the model would propose first, in their order. */
  logLikelihoods: z.array(z.number()),
});
export type RankAnswer = z.infer<typeof rankAnswerSchema>;
