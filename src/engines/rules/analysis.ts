import type { Raster } from '../types.js';
import { featureContext, featurePlanes, type FeatureContext } from './feature-context.js';
import { findHorizon, mergeCollinear, type Horizon, type MergedLine } from './lines.js';
import { measurePhoto, type PhotoMaps } from './photo-maps.js';
import { findSegments, type Segment } from './segments.js';
import { findSubjects, type Subject } from './subjects.js';
import { mirrorAxes, type MirrorAxis } from './symmetry.js';

/** What classical vision finds on a photo; all coordinates in fractions 0..1 of its sides. */
export interface PhotoAnalysis {
  readonly maps: PhotoMaps;
  readonly subjects: readonly Subject[];
  readonly segments: readonly Segment[];
  /** Segments joined along common lines. */
  readonly lines: readonly MergedLine[];
  readonly horizon: Horizon | undefined;
  readonly mirror: { readonly vertical: MirrorAxis; readonly horizontal: MirrorAxis };
}

/** Weak edges and short ones are texture. Grey levels a pixel; share of the diagonal. */
const SEGMENT_OPTIONS = { minMagnitude: 4, minLength: 0.05 };

export function analyseRaster(raster: Raster): PhotoAnalysis {
  const maps = measurePhoto(raster);
  const segments = findSegments(maps.gradient, SEGMENT_OPTIONS);
  const lines = mergeCollinear(segments, maps.size);
  return {
    maps,
    subjects: findSubjects(maps.saliency, 4),
    segments,
    lines,
    horizon: findHorizon(maps, lines),
    mirror: mirrorAxes(maps.lab),
  };
}

/** The scorer's view of the photo. */
export function scoringContext(analysis: PhotoAnalysis): FeatureContext {
  const { maps, subjects, segments, horizon, mirror } = analysis;
  const aspect = maps.size.width / maps.size.height;
  return featureContext(featurePlanes(maps), { subjects, segments, horizon, mirrorAxis: mirror.vertical }, aspect);
}
