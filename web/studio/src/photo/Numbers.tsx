import { moved, resized, type Box, type Limits, type Size } from '../../../../report/crop-box.js';
import type { TargetKey } from '../api.js';
import { aspectOfTarget } from '../targets.js';

interface NumbersProps {
  readonly box: Box;
  /** Of the photo as it is turned. */
  readonly extent: Size;
  readonly target: TargetKey;
  readonly onEdit: (box: Box) => void;
}

/** The crop in numbers, for whoever wants it exact. */
export function Numbers({ box, extent, target, onEdit }: NumbersProps) {
  const aspect = aspectOfTarget(target);
  const limits: Limits = { photo: extent, ...(aspect && { aspect }) };
  const [x1, y1, x2, y2] = box;
  const fields = [
    { name: 'left', value: x1, set: (to: number) => moved(box, to - x1, 0, limits) },
    { name: 'top', value: y1, set: (to: number) => moved(box, 0, to - y1, limits) },
    { name: 'width', value: x2 - x1, set: (to: number) => resized(box, 'e', to - (x2 - x1), 0, limits) },
    { name: 'height', value: y2 - y1, set: (to: number) => resized(box, 's', 0, to - (y2 - y1), limits) },
  ];
  return (
    <section class="numbers" aria-label="the crop in pixels">
      {fields.map(({ name, value, set }) => (
        <label key={name}>
          {name}
          <input
            type="number"
            value={value}
            min={0}
            onChange={(event) => {
              const wanted = event.currentTarget.valueAsNumber;
              if (Number.isFinite(wanted)) onEdit(set(Math.round(wanted)));
            }}
          />
        </label>
      ))}
    </section>
  );
}
