// How a photo is looked at; the same for one photo after another.
import { signal } from '@preact/signals';

export const GUIDES = ['none', 'thirds', 'golden', 'diagonals'] as const;
export type Guide = (typeof GUIDES)[number];

export interface View {
  /** Lines of the crop, not of the photo. */
  readonly guide: Guide;
  /** The crop alone, as it will be. */
  readonly isAfter: boolean;
  readonly showsCandidates: boolean;
  /** Kinds of elements that are not drawn. */
  readonly hiddenKinds: ReadonlySet<string>;
}

export const view = signal<View>({
  guide: 'thirds',
  isAfter: false,
  showsCandidates: false,
  hiddenKinds: new Set(['rule_of_thirds']),
});
