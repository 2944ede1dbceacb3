// Photos to look at closely: those of the library, and the examples that come with the package.
import { computed, signal } from '@preact/signals';
import type { ExamplePhoto } from '../../../../src/studio/learn/api.js';
import { pictureUrl } from '../api.js';
import { attempt, photosById } from '../store.js';
import { learn } from './ask.js';

export const examples = signal<readonly ExamplePhoto[]>([]);

const examplesById = computed(() => new Map(examples.value.map((photo) => [photo.id, photo])));

export async function loadExamples(): Promise<void> {
  if (examples.value.length === 0) examples.value = (await attempt(learn.examples)) ?? [];
}

export function nameOfPhoto(id: string): string {
  return photosById.value.get(id)?.name ?? examplesById.value.get(id)?.name ?? id;
}

/** Undefined for one that there is not (yet). */
export function pictureOf(id: string, side: 320 | 800): string | undefined {
  const photo = photosById.value.get(id);
  if (photo) return pictureUrl(photo, side);
  return examplesById.value.has(id) ? `/studio/api/examples/${id}/picture?side=${String(side)}` : undefined;
}
