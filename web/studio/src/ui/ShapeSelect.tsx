import type { Signal } from '@preact/signals';
import type { TargetKey } from '../api.js';
import { COMMON_TARGETS, nameOf } from '../targets.js';

/** One of the shapes people mostly crop to. */
export function ShapeSelect({ target }: { readonly target: Signal<TargetKey> }) {
  return (
    <label>
      Shape{' '}
      <select value={target.value} onChange={(event) => (target.value = event.currentTarget.value)}>
        {COMMON_TARGETS.map((each) => (
          <option key={each} value={each}>
            {nameOf(each)}
          </option>
        ))}
      </select>
    </label>
  );
}
