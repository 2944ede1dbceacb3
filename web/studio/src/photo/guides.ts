import type { Box } from '../../../../report/crop-box.js';
import type { Guide } from './view.js';

/** The smaller part of a side divided in the golden ratio, as a share of the side. */
const GOLDEN = (3 - Math.sqrt(5)) / 2;

/** The lines of a guide in a crop, as the path of an SVG. */
export function guidePath(guide: Guide, [x1, y1, x2, y2]: Box): string {
  if (guide === 'none') return '';
  if (guide === 'diagonals') return `M${x1} ${y1}L${x2} ${y2}M${x2} ${y1}L${x1} ${y2}`;
  const share = guide === 'thirds' ? 1 / 3 : GOLDEN;
  const lines = [share, 1 - share].map((at) => {
    const x = x1 + at * (x2 - x1);
    const y = y1 + at * (y2 - y1);
    return `M${x} ${y1}V${y2}M${x1} ${y}H${x2}`;
  });
  return lines.join('');
}
