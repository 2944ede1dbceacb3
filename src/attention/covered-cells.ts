import type { Point, Size } from '../base/geometry.js';
import type { Element } from '../base/schema.js';

/** Points looked at along a line for each cell it may cross; a line that only cuts a corner may be missed. */
const STEPS_PER_CELL = 8;

/**
 * For each cell of a grid over the photo, row by row, whether it holds an element: of boxes their area, of everything else
 * the cells its lines run through.
 * @param elements in pixels of a photo of `size`
 * @param grid cells across and down
 */
export function coveredCells(elements: readonly Element[], size: Size, grid: Size): boolean[] {
  const covered = new Array<boolean>(grid.width * grid.height).fill(false);
  const cellOf = ([x, y]: Point): [number, number] => [
    Math.max(0, Math.min(grid.width - 1, Math.floor((x / size.width) * grid.width))),
    Math.max(0, Math.min(grid.height - 1, Math.floor((y / size.height) * grid.height))),
  ];
  const cover = (point: Point): void => {
    const [column, row] = cellOf(point);
    covered[row * grid.width + column] = true;
  };
  const nSteps = STEPS_PER_CELL * (grid.width + grid.height);
  const coverLine = ([x1, y1]: Point, [x2, y2]: Point): void => {
    for (let i = 0; i <= nSteps; i++) cover([x1 + ((x2 - x1) * i) / nSteps, y1 + ((y2 - y1) * i) / nSteps]);
  };
  for (const element of elements) {
    if ('box' in element) {
      const [x1, y1, x2, y2] = element.box;
      const [left, top] = cellOf([x1, y1]);
      const [right, bottom] = cellOf([x2 - 1, y2 - 1]); // x2 and y2 are the first pixels past the box
      for (let row = top; row <= bottom; row++)
        covered.fill(true, row * grid.width + left, row * grid.width + right + 1);
    } else if ('points' in element) {
      const { points, type } = element;
      const ends = type === 'triangle' ? [...points, points[0]] : points;
      for (let i = 1; i < ends.length; i++) coverLine(ends[i - 1]!, ends[i]!);
    } else {
      for (const [x1, y1, x2, y2] of 'line' in element ? [element.line] : element.lines) coverLine([x1, y1], [x2, y2]);
    }
  }
  return covered;
}
