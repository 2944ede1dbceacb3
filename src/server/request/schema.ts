import { z } from 'zod';
import { cropRectSchema, FALLBACKS, FITS, type CropRect } from '../../base/schema.js';
import { hintSchema } from '../../batch/hints.js';
import { MAX_CANDIDATES } from '../../crop/defaults.js';
import { PLACES } from '../../crop/place.js';
import { MOST_STRAIGHTEN_DEG } from '../../crop/straighten-wish.js';
import { OUTPUT_FORMATS } from '../../photo/output-format.js';

/** Of one photo and request; each ratio is a crop of its own. */
const MOST_TARGETS = 16;
const MOST_RECTANGLES = 256;

const share = z.number().min(0).max(1);
const text = z.string().max(100);
const texts = z.union([text, z.array(text).max(MOST_TARGETS)]).transform((given) => [given].flat());

const rectText = z
  .string()
  .regex(/^\d+,\d+,\d+,\d+$/)
  .transform((given): CropRect => {
    const [x, y, width, height] = given.split(',').map(Number) as [number, number, number, number];
    return { x, y, width, height };
  });
const rect = z.union([cropRectSchema.strict(), rectText], {
  error: 'a rectangle is "x,y,width,height", or {x, y, width, height}, in whole pixels of the upright photo',
});

const TURN = `it is off, auto, or degrees from -${MOST_STRAIGHTEN_DEG} to ${MOST_STRAIGHTEN_DEG}, clockwise`;
const turn = z.union(
  [
    hintSchema.shape.straighten.unwrap(),
    // As a query has it.
    z
      .string()
      .regex(/^-?\d{1,2}(?:\.\d{1,6})?$/)
      .transform(Number)
      .refine((degrees) => Math.abs(degrees) <= MOST_STRAIGHTEN_DEG, TURN),
  ],
  { error: TURN },
);

const photo = {
  /** A photo below the folder the server was started with (--root), in place of an upload; slashes between folders. */
  path: z.string().max(1000).optional(),
};

const sampling = {
  /** 0 (default) takes the most probable answer; above, answers are drawn with `seed`. */
  temperature: z.number().min(0).max(5).optional(),
  /** Default 0. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .optional(),
};

/** What may be asked of POST /v1/crop; as the command's options of these names. */
export const cropRequestSchema = z.strictObject({
  ...photo,
  /** Ratios as 4:5, one crop each; without any and without sizes one crop of any shape. */
  aspect: texts.optional(),
  /** Exact pixels as 1080x1350, one crop each. */
  size: texts.optional(),
  /** Crops to propose, 1 to 20. Default 5. */
  candidates: z.int().min(1).max(MAX_CANDIDATES).optional(),
  /** Orders of the candidates the decision is averaged over. Default 1. */
  votes: z.int().min(1).max(MAX_CANDIDATES).optional(),
  /** Rectangles no crop may cut, each {x, y, width, height} or "x,y,width,height" in pixels of the upright photo. */
  keep: z.array(rect).max(MOST_RECTANGLES).optional(),
  /** The point the crop is built around: "420,310" in pixels, "50%,30%" of the sides, [x, y] or {x, y} as shares. */
  focus: hintSchema.shape.focus,
  /** Turn a tilted photo upright first: "auto" where that is sure, or by so many degrees, clockwise. Default "off". */
  straighten: turn.optional(),
  /** Look for lines of printed text and cut none that was found, the crop moved a little. Default false. */
  wholeText: z.boolean().optional(),
  /** Build around the subject that the camera has noted in the photo. Default true. */
  cameraFocus: z.boolean().optional(),
  /** Where in the crop its subject is to be, by thirds. */
  place: z.enum(PLACES).optional(),
  /** Trim to the subject with this room around it: 10% of its longer side, or 40px. */
  margin: text.optional(),
  /** Least area of a crop, as a share of the photo's. */
  minSize: share.optional(),
  /** Where no crop of a ratio holds what is to be kept, or one is smaller than the size: what is done. Default crop. */
  fit: z.enum(FITS).optional(),
  /** Of the canvas of `fit` pad: #rrggbb. Default white. */
  background: text.optional(),
  /** Enlarge what is put on a canvas until it fills it one way. Default false. */
  enlarge: z.boolean().optional(),
  /** Least score of the best candidate, below which `fallback` is done. */
  minConfidence: share.optional(),
  /** What to do instead of an unsure crop. Default review. */
  fallback: z.enum(FALLBACKS).optional(),
  /** What to look for, in words; needs a Qwen-VL. */
  instruct: z.string().max(2000).optional(),
  ...sampling,
  /** Of a picture that is answered; before what Accept says. Default: the photo's own. */
  format: z.enum(OUTPUT_FORMATS).optional(),
  /** Of a picture that is answered, 1 to 100. Default: the photo's own. */
  quality: z.int().min(1).max(100).optional(),
  /** Answer a picture without EXIF, IPTC, XMP, gain map and colour profile. */
  strip: z.boolean().optional(),
});
export type CropRequest = z.infer<typeof cropRequestSchema>;

/** What may be asked of POST /v1/analyse. */
export const analyseRequestSchema = z.strictObject({
  ...photo,
  ...sampling,
  /** Answer also how the photo is tilted. Default false. */
  tilt: z.boolean().optional(),
});

/** What may be asked of POST /v1/rank. */
export const rankRequestSchema = z.strictObject({
  ...photo,
  /** The rectangles to compare, each {x, y, width, height} or "x,y,width,height" in pixels of the upright photo. */
  rectangles: z.array(rect).min(1).max(MOST_RECTANGLES),
  ...sampling,
});
