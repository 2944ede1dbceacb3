import { z } from 'zod';
import { VERDICTS } from './verdicts.js';

/** Whole pixels; x2 and y2 exclusive. */
export const boxSchema = z
  .tuple([z.int(), z.int(), z.int(), z.int()])
  .refine(([x1, y1, x2, y2]) => x1 < x2 && y1 < y2, 'a box needs x1 < x2 and y1 < y2');

const pointSchema = z.tuple([z.int(), z.int()]);
const segmentSchema = z.tuple([z.int(), z.int(), z.int(), z.int()]);

/** A subject box: where the subject sits in the composition named. */
export const BOX_KINDS = ['rule_of_thirds', 'center', 'golden_ratio'] as const;
/** One segment `[x1, y1, x2, y2]`; for `symmetric` it is the mirror axis. */
export const LINE_KINDS = ['horizontal', 'vertical', 'diagonal', 'symmetric'] as const;

/** The ten composition elements, in their canonical order (CADB's classes less radial, pattern and fill_the_frame). */
export const ELEMENT_KINDS = [...BOX_KINDS, ...LINE_KINDS, 'curved', 'triangle', 'vanishing_point'] as const;
export type ElementKind = (typeof ELEMENT_KINDS)[number];

export function isOneOf<T extends string>(kinds: readonly T[], kind: string): kind is T {
  return (kinds as readonly string[]).includes(kind);
}

export const MAX_ELEMENTS = 8;
export const CURVE_POINTS = { min: 3, max: 12 } as const;
export const VANISHING_LINES = { min: 2, max: 4 } as const;

/** One composition element; the space of its coordinates is the space of what holds it. */
export const elementSchema = z.discriminatedUnion('type', [
  z.object({ type: z.enum(BOX_KINDS), box: boxSchema }),
  z.object({ type: z.enum(LINE_KINDS), line: segmentSchema }),
  z.object({ type: z.literal('curved'), points: z.array(pointSchema).min(CURVE_POINTS.min).max(CURVE_POINTS.max) }),
  z.object({ type: z.literal('triangle'), points: z.tuple([pointSchema, pointSchema, pointSchema]) }),
  z.object({
    type: z.literal('vanishing_point'),
    lines: z.array(segmentSchema).min(VANISHING_LINES.min).max(VANISHING_LINES.max),
  }),
]);
export type Element = z.infer<typeof elementSchema>;

export const candidateSchema = z.object({
  /** The crop this candidate stands for, exact to the pixel, in oriented photo pixels. */
  box: boxSchema,
  /** The model's probability that this is the best candidate; the candidates' sum to 1. */
  modelScore: z.number().min(0).max(1),
  why: z.string(),
});
export type Candidate = z.infer<typeof candidateSchema>;

export const cropRectSchema = z.object({ x: z.int(), y: z.int(), width: z.int(), height: z.int() });
export type CropRect = z.infer<typeof cropRectSchema>;

/**
 * The candidate engines: the model, four plain functions for comparison and for photos wanted in a millisecond, what people
 * did with photos like this one, and the heads in it.
 */
export const ENGINES = ['vlm', 'rules', 'saliency', 'centre', 'full', 'retrieval', 'faces'] as const;
export type EngineName = (typeof ENGINES)[number];

/**
 * Why an engine of a chain has not made the crop: nothing it goes by is in the photo, its confidence is too low, no crop it
 * could propose meets the wishes, or it has given no valid answer.
 */
export const PASSED_OVER = ['nothing', 'unsure', 'impossible', 'invalid'] as const;

/** What becomes of a photo that no engine asked is sure about: another engine's crop, the photo as it is, or a person's look. */
export const FALLBACKS = ['rules', 'saliency', 'centre', 'full', 'keep', 'review'] as const;
export type Fallback = (typeof FALLBACKS)[number];

/** How a crop is brought to a ratio or size: cut to it, or put on a canvas of it where cutting would take too much. */
export const FITS = ['crop', 'pad', 'blur'] as const;
export type Fit = (typeof FITS)[number];

/** Tags of EXIF and of makers' notes that say where a camera's subject is. */
const CAMERA_FOCUS_TAGS = ['SubjectArea', 'SubjectLocation', 'Canon:AFPointsInFocus', 'Sony:FocusLocation'] as const;

const sizeSchema = z.object({ widthPx: z.int().positive(), heightPx: z.int().positive() });

/** A ratio or size that no crop of a photo meets, where there are crops for others. */
export const refusedTargetSchema = z.object({
  target: z.object({ aspect: z.string().optional(), size: sizeSchema.optional() }),
  /** `ASPECT_IMPOSSIBLE` */
  code: z.string(),
  /** Why, for people. */
  detail: z.string(),
});
export type RefusedTarget = z.infer<typeof refusedTargetSchema>;

/** One crop of one photo: what `crop` returns and a line of `--json`. All coordinates are oriented photo pixels. */
export const cropResultSchema = z.object({
  schemaVersion: z.literal(1),
  photo: sizeSchema.extend({
    path: z.string().optional(),
    /** Of a camera's raw file: its picture as stored. The photo, and all coordinates, are then those of the preview in it. */
    raw: sizeSchema.optional(),
  }),
  /** `chosen`: by a person, in a file of choices. */
  engine: z.enum([...ENGINES, 'chosen']),
  model: z
    .object({
      name: z.string(),
      /** Of the text model's file and of the vision file. */
      sha256: z.string(),
      mmprojSha256: z.string(),
      promptVersion: z.string(),
      seed: z.int(),
      loras: z.array(z.object({ path: z.string(), scale: z.number() })).optional(),
    })
    .optional(),
  /** The raster the model saw; its pixels are not the photo's. */
  frame: sizeSchema,
  /** What was asked for. */
  target: z.object({
    aspect: z.string().optional(),
    size: sizeSchema.optional(),
    fit: z.enum(['pad', 'blur']).optional(),
    background: z.string().optional(),
    enlarge: z.boolean().optional(),
  }),
  analysis: z.array(elementSchema),
  candidates: z.array(candidateSchema).min(1),
  /** Index into `candidates`. */
  best: z.int().min(0),
  /** Why the best one. */
  why: z.string(),
  crop: cropRectSchema,
  /**
   * Where the crop alone does not fill the ratio or size asked for (`fit`): the canvas the file shows it on, and where on it,
   * in the canvas's pixels. `pad`: of the colour `background`; `blur`: of the crop itself, blurred.
   */
  canvas: sizeSchema
    .extend({ at: cropRectSchema, fill: z.enum(['pad', 'blur']), background: z.string().optional() })
    .optional(),
  /** What the camera has noted of where its subject is, and the crop was built around, in oriented photo pixels. */
  cameraFocus: z.object({ tag: z.enum(CAMERA_FOCUS_TAGS), x: z.int(), y: z.int() }).optional(),
  /** Where to look, as shares of the photo's width and height; for CSS object-position and the like. */
  focalPoint: z.object({ x: z.number().min(0).max(1), y: z.number().min(0).max(1) }),
  /**
   * Where straightening was asked for. All coordinates and sizes of the result are pixels of the straight photo where it is
   * `applied`: the photo turned about its middle and cut to the largest rectangle of its proportions that is photo all over.
   */
  straighten: z
    .object({
      /** The clockwise turn that makes the scene upright, as found or as asked for; 0 where nothing was found. */
      angleDeg: z.number().min(-45).max(45),
      /** How sure that is, 0..1; it is applied from 0.6 on. Absent where the angle was asked for. */
      confidence: z.number().min(0).max(1).optional(),
      /** What shows it; absent where nothing does. */
      from: z.enum(['horizon', 'verticals', 'asked']).optional(),
      /**
       * How far upright edges at the left and right border lean apart at their upper ends, degrees; negative: together, as of a
       * building seen from its foot. It is not corrected.
       */
      keystoneDeg: z.number().optional(),
      applied: z.boolean(),
      /** The upright photo before it was turned. */
      photo: sizeSchema.optional(),
    })
    .optional(),
  /** Heads of people that were looked for and found: the crop holds them whole, or the notes say which it does not. */
  heads: z.array(boxSchema).optional(),
  /** Lines of printed text that were looked for and surely are some: the crop cuts none of them, or the notes say which it does. */
  text: z
    .array(
      z.object({
        /** Around all letters of the line. */
        box: boxSchema,
        /** How the line slopes, degrees; positive: downwards to the right. */
        angleDeg: z.number(),
        /** How sure it is that it is text, 0..1. */
        confidence: z.number().min(0).max(1),
      }),
    )
    .optional(),
  /**
   * `keep`: the photo is best as it is, the crop is all of it. `review`: the confidence is too low, a person is to look;
   * the crop is the engine's all the same.
   */
  verdict: z.enum(['crop', 'keep', 'review']),
  /** What the model says of the photo, where it is asked: best as it is, better cropped, or no good either way. */
  modelVerdict: z.enum(VERDICTS).optional(),
  /**
   * The score of the best candidate: how much of its belief the engine asked puts into its own choice. 1 / the number of
   * candidates is no preference at all, 1 where there was only one. Absent where nothing was scored, as of a model that
   * answers with one box.
   */
  confidence: z.number().min(0).max(1).optional(),
  /** Where the photo is one of a series, whose crops are to be one. */
  series: z
    .object({
      /** The photo whose crop the others take over. */
      lead: z.string(),
      nPhotos: z.int().min(2),
      /**
       * `registration`: the lead was laid over this photo, and its crop is where it came to lie; `subject`: its subject is as
       * large in its crop, and where, as the lead's in its; `own`: neither could be done, and the engine was asked.
       */
      by: z.enum(['lead', 'registration', 'subject', 'own']),
      /** How alike the lead is where it lies over this photo, 0.6..1: a correlation. */
      likeness: z.number().optional(),
    })
    .optional(),
  /** Where a reference was given that crops are to be like. `by` as of a series. */
  like: z.object({ reference: z.string(), by: z.enum(['registration', 'subject', 'own']) }).optional(),
  /** What took the place of the crop of the engines asked, none of which was sure: `confidence` is then the first one's that had a crop. */
  fallback: z.enum(FALLBACKS).optional(),
  /** The other engines that were asked, in order, and why the crop is not theirs. Absent where none was. */
  passedOver: z
    .array(
      z.object({
        engine: z.enum(ENGINES),
        reason: z.enum(PASSED_OVER),
        /** What was wrong, for people. */
        detail: z.string(),
        /** Of its own crop, where it had one. */
        confidence: z.number().min(0).max(1).optional(),
      }),
    )
    .optional(),
  /**
   * What a user may wonder about, to follow the photo's name: what of it is not cropped, as its frames but the first; that
   * the size asked for is more than the crop has.
   */
  notes: z.array(z.string()).optional(),
  timingsMs: z.record(z.string(), z.number()),
  /**
   * Where a JPEG was cut without decoding it: what its file shows, and how far each edge lies outside `crop`, in pixels of
   * the upright photo.
   */
  lossless: z
    .object({
      crop: cropRectSchema,
      movedPx: z.object({ left: z.int(), top: z.int(), right: z.int(), bottom: z.int() }),
    })
    .optional(),
  /** Files written. */
  output: z.array(z.string()).optional(),
  /**
   * Where a sidecar was asked for. `manual`: it was left alone, because it holds a crop made by hand or, by its reason,
   * settings that are in the photo's pixels already (`applied`), or an orientation that the photo has not (`turned`).
   */
  sidecar: z
    .object({
      path: z.string(),
      state: z.enum(['written', 'unchanged', 'manual']),
      reason: z.enum(['applied', 'turned']).optional(),
    })
    .optional(),
  /** Where the crop was to be noted in the photo's own XMP, which `path` is; as of a sidecar. */
  embedded: z
    .object({
      path: z.string(),
      state: z.enum(['written', 'unchanged', 'manual']),
      reason: z.enum(['applied', 'turned']).optional(),
    })
    .optional(),
});
export type CropResult = z.infer<typeof cropResultSchema>;
