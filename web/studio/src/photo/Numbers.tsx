import type { PhotoSize, TargetKey } from '../api.js';
import { ratioOf } from '../targets.js';
import { heightOf, moved, resized, shaped, widthOf, type Box } from './rect.js';

interface NumbersProps {
  readonly box: Box;
  readonly extent: PhotoSize;
  readonly target: TargetKey;
  readonly onEdit: (box: Box) => void;
}

/** The crop in numbers, for whoever wants it exact. */
export function Numbers({ box, extent: { widthPx, heightPx }, target, onEdit }: NumbersProps) {
  const extent = { width: widthPx, height: heightPx };
  const ratio = ratioOf(target);
  const corner = { x: 1, y: 1 } as const;
  const fields = [
    { name: 'left', value: box[0], set: (to: number) => moved(box, to - box[0], 0, extent) },
    { name: 'top', value: box[1], set: (to: number) => moved(box, 0, to - box[1], extent) },
    { name: 'width', value: widthOf(box), set: (to: number) => sized(to - widthOf(box), 0) },
    { name: 'height', value: heightOf(box), set: (to: number) => sized(0, to - heightOf(box)) },
  ];
  function sized(dx: number, dy: number): Box {
    if (ratio === undefined) return resized(box, corner, dx, dy, extent);
    const edge = dx === 0 ? ({ x: 0, y: 1 } as const) : ({ x: 1, y: 0 } as const);
    return shaped(resized(box, edge, dx, dy, extent, ratio), ratio, extent);
  }
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
