// Photos to look at closely: those of the library, and the examples that come with the package.
import { computed, signal } from '@preact/signals';
import { attempt, photosById } from '../store.js';
import type { ExamplePhoto } from '../../../../src/studio/learn/api.js';

export const examples = signal<readonly ExamplePhoto[]>([]);

const examplesById = computed(() => new Map(examples.value.map((photo) => [photo.id, photo])));

export async function loadExamples(): Promise<void> {
  if (examples.value.length > 0) return;
  await attempt(async () => {
    const response = await fetch('/studio/api/examples');
    if (response.ok) examples.value = (await response.json()) as ExamplePhoto[];
  });
}

export function nameOfPhoto(id: string): string {
  return photosById.value.get(id)?.name ?? examplesById.value.get(id)?.name ?? id;
}
