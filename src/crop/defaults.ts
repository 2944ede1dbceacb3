/** What is asked for where nothing is said, and how much may be: of the library, the command and evaluations alike. */
export const CROP_DEFAULTS = {
  /** Crops proposed. */
  candidates: 5,
  /** Orders of the candidates the decision is averaged over. */
  votes: 1,
  /** Least area of a crop, as a share of the photo's. */
  minSize: 0.25,
  /** The most probable answer. */
  temperature: 0,
  seed: 0,
  /** Score of the best candidate below which the fallback is done: never. */
  minConfidence: 0,
  fallback: 'review',
} as const;

/** Above, a list is more than a model keeps apart, and each takes cells of its cache. */
export const MAX_CANDIDATES = 20;
