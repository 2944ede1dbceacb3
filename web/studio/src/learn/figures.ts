// What was measured, from the files the studio was started with.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { FiguresAnswer } from '../../../../src/studio/learn/api.js';
import { attempt } from '../store.js';
import { learn } from './ask.js';

export const figures = signal<FiguresAnswer | undefined>(undefined);

/** Reads the files anew, which may have been written meanwhile. */
export function useFigures(): void {
  useEffect(() => {
    void attempt(learn.figures).then((found) => {
      if (found) figures.value = found;
    });
  }, []);
}
