import { unionOf, type Box } from '../../base/geometry.js';
import type { Raster } from '../types.js';
import { toUnit } from './scoring/aspect-grid.js';
import { featureContext, featurePlanes, type FeatureContext } from './scoring/feature-context.js';
import { findHorizon, mergeCollinear, type Horizon, type MergedLine } from './lines/lines.js';
import { measurePhoto, type PhotoMaps } from './maps/photo-maps.js';
import { findSegments, type Segment } from './lines/segments.js';
import { findSalientBoxes, type SalientBox } from './subject/salient-boxes.js';
import { findSubject, type Subject } from './subject/subject.js';
import { mirrorAxes, type MirrorAxis } from './lines/symmetry.js';

/** What classical vision finds on a photo; all coordinates in fractions 0..1 of its sides. */
export interface PhotoAnalysis {
  readonly maps: PhotoMaps;
  readonly subject: Subject;
  readonly salientBoxes: readonly SalientBox[];
  readonly segments: readonly Segment[];
  /** Segments joined along common lines. */
  readonly lines: readonly MergedLine[];
  readonly horizon: Horizon | undefined;
  readonly mirror: { readonly vertical: MirrorAxis; readonly horizontal: MirrorAxis };
}

/** Weak edges and short ones are texture. Grey levels a pixel; share of the diagonal. */
const SEGMENT_OPTIONS = { minMagnitude: 4, minLength: 0.05 };

/** @param heads of people, raster pixels: where there are any, they are what the photo is of */
export function analyseRaster(raster: Raster, heads: readonly Box[] = []): PhotoAnalysis {
  const maps = measurePhoto(raster);
  const segments = findSegments(maps.gradient, SEGMENT_OPTIONS);
  const lines = mergeCollinear(segments, maps.size);
  const group = unionOf(heads);
  return {
    maps,
    subject: group ? { box: toUnit(group, raster.size), expectedIou: 1 } : findSubject(maps),
    salientBoxes: group ? [{ box: toUnit(group, raster.size), subjectScore: 1 }] : findSalientBoxes(maps.saliency, 4),
    segments,
    lines,
    horizon: findHorizon(maps, lines),
    mirror: mirrorAxes(maps.lab),
  };
}

/** The scorer's view of the photo. */
export function scoringContext(analysis: PhotoAnalysis): FeatureContext {
  const { maps, salientBoxes, segments, horizon, mirror } = analysis;
  const aspect = maps.size.width / maps.size.height;
  return featureContext(
    featurePlanes(maps),
    { subjects: salientBoxes, segments, horizon, mirrorAxis: mirror.vertical },
    aspect,
  );
}
