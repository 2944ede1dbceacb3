import type { Box } from '../../../../report/crop-box.js';
import type { Guide } from './view.js';

/** Lines of the grid a photo is straightened by, each way. */
const N_GRID = 11;

/** The smaller part of a side divided in the golden ratio, as a share of the side. */
const GOLDEN = (3 - Math.sqrt(5)) / 2;

/** The lines of a guide in a crop, as the path of an SVG. */
export function guidePath(guide: Guide, [x1, y1, x2, y2]: Box): string {
  if (guide === 'none') return '';
  if (guide === 'diagonals') return `M${x1} ${y1}L${x2} ${y2}M${x2} ${y1}L${x1} ${y2}`;
  const share = guide === 'thirds' ? 1 / 3 : GOLDEN;
  return linesAt([share, 1 - share], [x1, y1, x2, y2]);
}

/** Close lines across a crop, level and upright. */
export function gridPath(box: Box): string {
  return linesAt(
    Array.from({ length: N_GRID }, (_, i) => (i + 1) / (N_GRID + 1)),
    box,
  );
}

function linesAt(shares: readonly number[], [x1, y1, x2, y2]: Box): string {
  const lines = shares.map((at) => {
    const x = x1 + at * (x2 - x1);
    const y = y1 + at * (y2 - y1);
    return `M${x} ${y1}V${y2}M${x1} ${y}H${x2}`;
  });
  return lines.join('');
}
