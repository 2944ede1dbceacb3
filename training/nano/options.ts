import { parseArgs } from 'node:util';
import { corpusViews, photoViews, sceneViews, type View } from './views.js';

export interface Options {
  readonly out: string;
  readonly corpus: string | undefined;
  readonly cuts: number;
  readonly photos: string | undefined;
  readonly scenes: number;
  readonly first: number;
  readonly part: { readonly index: number; readonly of: number };
  readonly limit: number;
  readonly labels: readonly string[];
  /** Subjects and places by training/teacher. */
  readonly places: readonly string[];
  readonly mirrored: boolean;
  readonly conversations: boolean;
  /** Another number draws other requests and lists for the same pictures. */
  readonly variant: number;
  /** What a model has proposed for them (propose.ts), to be judged; pictures without are left out. */
  readonly proposals: string | undefined;
}

/** The command line label.ts and export.ts share: which pictures, and where what is made of them goes. */
export function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      corpus: { type: 'string' },
      cuts: { type: 'string', default: '0' },
      photos: { type: 'string' },
      scenes: { type: 'string', default: '0' },
      first: { type: 'string', default: '0' },
      part: { type: 'string', default: '0/1' },
      limit: { type: 'string', default: 'Infinity' },
      labels: { type: 'string', multiple: true, default: [] },
      places: { type: 'string', multiple: true, default: [] },
      mirrored: { type: 'boolean', default: false },
      conversations: { type: 'boolean', default: false },
      variant: { type: 'string', default: '0' },
      proposals: { type: 'string' },
    },
  });
  if (!values.out) throw new Error('--out is missing');
  const [index, of] = values.part.split('/').map(Number) as [number, number];
  return {
    out: values.out,
    corpus: values.corpus,
    cuts: Number(values.cuts),
    photos: values.photos,
    scenes: Number(values.scenes),
    first: Number(values.first),
    part: { index, of },
    limit: Number(values.limit),
    labels: values.labels,
    places: values.places,
    mirrored: values.mirrored,
    conversations: values.conversations,
    variant: Number(values.variant),
    proposals: values.proposals,
  };
}

export function viewsOf(options: Options): AsyncGenerator<View> {
  if (options.scenes > 0) return sceneViews(options.first, options.scenes, options.corpus, options.part);
  if (options.photos) return photoViews(options.photos, options.part);
  if (options.corpus) return corpusViews(options.corpus, options.cuts, options.part);
  throw new Error('say --corpus, --photos or --scenes');
}
