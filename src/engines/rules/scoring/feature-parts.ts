import type { UnitBox } from './grid.js';

/** Receives the features of one box in a fixed order. */
export type Sink = (value: number) => void;
export type NameSink = (name: string) => void;

export const SIDES = ['left', 'top', 'right', 'bottom'] as const;

export const areaOf = (box: UnitBox): number => (box[2] - box[0]) * (box[3] - box[1]);

/** Distance of a position 0..1 to the nearer third. */
export const toThird = (t: number): number => Math.min(Math.abs(t - 1 / 3), Math.abs(t - 2 / 3));
