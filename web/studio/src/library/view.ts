// Which photos are shown and in what order, and which are selected.
import { computed, signal } from '@preact/signals';
import type { PhotoState, PhotoSummary, TargetKey } from '../api.js';
import { photos, photosById } from '../store.js';

export type Filter = PhotoState | 'all' | 'unsaved' | 'failed';
export type Order = 'name' | 'unsure' | 'newest';

export const filter = signal<Filter>('all');
export const order = signal<Order>('name');
export const words = signal('');
export const selection = signal<ReadonlySet<string>>(new Set());
/** The target whose crops are drawn; undefined: the first a photo has. */
export const shownTarget = signal<TargetKey | undefined>(undefined);

export const FILTERS: readonly { readonly name: Filter; readonly text: string }[] = [
  { name: 'all', text: 'all' },
  { name: 'new', text: 'not yet' },
  { name: 'review', text: 'to review' },
  { name: 'cropped', text: 'cropped' },
  { name: 'kept', text: 'kept whole' },
  { name: 'hand', text: 'by hand' },
  { name: 'unsaved', text: 'not saved' },
  { name: 'failed', text: 'failed' },
];

export function meets(photo: PhotoSummary, wanted: Filter): boolean {
  switch (wanted) {
    case 'all':
      return true;
    case 'failed':
      return photo.failure !== undefined;
    case 'unsaved':
      return Object.values(photo.crops).some(({ isSaved }) => !isSaved);
    default:
      return photo.state === wanted;
  }
}

export const counts = computed(() => {
  const found = new Map<Filter, number>(FILTERS.map(({ name }) => [name, 0]));
  for (const photo of photos.value) {
    for (const { name } of FILTERS) if (meets(photo, name)) found.set(name, found.get(name)! + 1);
  }
  return found;
});

export const targets = computed(() => [...new Set(photos.value.flatMap(({ crops }) => Object.keys(crops)))]);

/** Of the least sure crop that nobody has looked at; 1 where there is none. */
function confidence({ crops }: PhotoSummary): number {
  const open = Object.values(crops).filter(({ by }) => by === 'model');
  return Math.min(1, ...open.map(({ confidence: share = 1, verdict }) => (verdict === 'review' ? share - 1 : share)));
}

const ORDERS: Readonly<Record<Order, (a: PhotoSummary, b: PhotoSummary) => number>> = {
  name: () => 0, // as the server lists them
  unsure: (a, b) => confidence(a) - confidence(b),
  newest: (a, b) => b.modifiedMs - a.modifiedMs,
};

export const shown = computed(() => {
  const wanted = words.value.trim().toLowerCase();
  const found = photos.value.filter(
    (photo) => meets(photo, filter.value) && (wanted === '' || photo.name.toLowerCase().includes(wanted)),
  );
  return order.value === 'name' ? found : found.sort(ORDERS[order.value]);
});

/** What a button acts on: the selected, or all that are shown. */
export const chosen = computed(() => {
  const selected = [...selection.value].filter((id) => photosById.value.has(id));
  return selected.length > 0 ? selected : shown.value.map(({ id }) => id);
});

export function toggle(id: string): void {
  const next = new Set(selection.value);
  if (!next.delete(id)) next.add(id);
  selection.value = next;
}

/** All from one to another, as with Shift. */
export function selectRange(from: number, to: number): void {
  const [first, last] = from < to ? [from, to] : [to, from];
  const ids = shown.value.slice(first, last + 1).map(({ id }) => id);
  selection.value = new Set([...selection.value, ...ids]);
}
