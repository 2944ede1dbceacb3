// What a person points at before the engine is asked: where to look, and what no crop may cut.
import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Box } from '../../../../report/crop-box.js';

export interface Places {
  /** What a click on the photo does. */
  readonly mode: 'crop' | 'focus' | 'keep';
  readonly focus: readonly [x: number, y: number] | undefined;
  readonly keep: readonly Box[];
}

const NONE: Places = { mode: 'crop', focus: undefined, keep: [] };

/** Of one photo; another has its own. */
export function usePlaces(id: string): Signal<Places> {
  const places = useSignal(NONE);
  useEffect(() => {
    places.value = NONE;
  }, [id]);
  return places;
}
