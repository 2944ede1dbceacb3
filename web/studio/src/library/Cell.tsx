import type { CSSProperties } from 'preact';
import { cutOf, sizeOf, toUpright } from '../photo/cut.js';
import { pictureUrl, type CropSummary, type PhotoState, type PhotoSummary, type TargetKey } from '../api.js';

const STATES: Readonly<Record<PhotoState, string>> = {
  new: 'not yet',
  review: 'to review',
  cropped: 'cropped',
  kept: 'kept whole',
  hand: 'by hand',
};

interface CellProps {
  readonly photo: PhotoSummary;
  /** Whose crop is drawn; undefined: the first there is. */
  readonly target: TargetKey | undefined;
  readonly index: number;
  readonly count: number;
  readonly isActive: boolean;
  readonly isSelected: boolean;
  readonly style: CSSProperties;
  readonly onClick: (event: MouseEvent) => void;
}

/** A photo of the grid with its crop on it. */
export function Cell({ photo, target, index, count, isActive, isSelected, style, onClick }: CellProps) {
  const { id, name, state, crops, failure } = photo;
  const crop = target === undefined ? Object.values(crops)[0] : crops[target];
  const said = [STATES[state], sure(crop), failure && 'failed'].filter(Boolean).join(', ');
  return (
    <div
      id={`photo-${id}`}
      class={`cell${isActive ? ' active' : ''}`}
      role="option"
      aria-selected={isSelected}
      aria-setsize={count}
      aria-posinset={index + 1}
      style={style}
      onClick={onClick}
    >
      <span class="tick" aria-hidden="true" title="select" />
      <span class="picture">
        <img src={pictureUrl(photo, 320)} alt="" loading="lazy" decoding="async" draggable={false} />
        {crop && <CropMark crop={crop} />}
      </span>
      <span class="name" title={name}>
        {name}
      </span>
      <span class={`state ${failure === undefined ? state : 'failed'}`} title={failure}>
        {said}
      </span>
    </div>
  );
}

function sure(crop: CropSummary | undefined): string | undefined {
  if (crop?.by !== 'model' || crop.confidence === undefined) return undefined;
  return `${Math.round(100 * crop.confidence)} % sure`;
}

/** The dark outside a crop. The drawing lies over its picture as both are fitted alike. */
function CropMark({ crop }: { readonly crop: CropSummary }) {
  const { box, angleDeg } = cutOf(crop);
  const upright = sizeOf(crop.turn?.upright ?? crop.photo);
  const [x1, y1, x2, y2] = box;
  const corners = [
    [x1, y1],
    [x1, y2],
    [x2, y2],
    [x2, y1],
  ].map(([x, y]) => toUpright([x!, y!], upright, angleDeg).join(' '));
  const outline = `M${corners.join('L')}Z`;
  return (
    <svg viewBox={`0 0 ${upright.width} ${upright.height}`} aria-hidden="true">
      <path class="shade" d={`M0 0H${upright.width}V${upright.height}H0Z${outline}`} />
      <path class="frame" d={outline} />
    </svg>
  );
}
