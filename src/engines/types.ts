import type { Aspect, Box, Size } from '../base/geometry.js';
import type { Element } from '../base/schema.js';

/** Interleaved 8-bit sRGB, row major: `data.length === 3 * width * height`. */
export interface Raster {
  readonly data: Uint8Array;
  readonly size: Size;
}

export interface EngineOptions {
  /** How many candidates to give, at least 1; fewer come back where the rules leave fewer distinct boxes. */
  readonly count: number;
  /** Of every candidate, in raster pixels, to the nearest one; absent: any. */
  readonly aspect?: Aspect;
  /** Boxes that must lie wholly inside every candidate, in raster pixels. */
  readonly keep?: readonly Box[];
  /** Least area of a candidate as a share of the raster, 0..1. Default 0. */
  readonly minSize?: number;
}

export interface EngineCandidate {
  /** Raster pixels. */
  readonly box: Box;
  /** Probability-like, 0..1; the candidates of one proposal sum to 1. */
  readonly score: number;
  readonly why: string;
}

/** What every engine that needs no model gives: the composition it saw, candidates best first, and the best one's index. */
export interface EngineProposal {
  readonly elements: Element[];
  readonly candidates: EngineCandidate[];
  readonly best: number;
}

/** What an engine that needs no model sees in one photo, and the crops it proposes from that. */
export interface EngineLook<Proposal = EngineProposal | Promise<EngineProposal>> {
  /** Raster pixels. */
  readonly elements: Element[];
  readonly propose: (options: EngineOptions) => Proposal;
}
