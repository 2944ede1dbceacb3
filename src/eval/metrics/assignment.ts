/**
 * The pairing of rows with columns of least total cost, each used at most once and as many pairs as the smaller side
 * has (Kuhn-Munkres with potentials, O(n^2 m)). Costs are finite.
 * @returns `[row, column]` by rising row.
 */
export function leastCostPairs(costs: readonly (readonly number[])[]): [row: number, column: number][] {
  const nRows = costs.length;
  const nColumns = costs[0]?.length ?? 0;
  if (nRows === 0 || nColumns === 0) return [];
  if (nRows > nColumns) {
    const transposed = Array.from({ length: nColumns }, (_, c) => costs.map((row) => row[c]!));
    return leastCostPairs(transposed)
      .map(([column, row]): [number, number] => [row, column])
      .sort((a, b) => a[0] - b[0]);
  }

  // Index 0 is a sentinel: rows and columns count from 1.
  const rowPotential = new Float64Array(nRows + 1);
  const columnPotential = new Float64Array(nColumns + 1);
  const rowOfColumn = new Int32Array(nColumns + 1);
  const previousColumn = new Int32Array(nColumns + 1);
  for (let row = 1; row <= nRows; row++) {
    rowOfColumn[0] = row;
    let column = 0;
    const slack = new Float64Array(nColumns + 1).fill(Infinity);
    const visited = new Uint8Array(nColumns + 1);
    do {
      visited[column] = 1;
      const currentRow = rowOfColumn[column]!;
      let delta = Infinity;
      let nextColumn = 0;
      for (let c = 1; c <= nColumns; c++) {
        if (visited[c]) continue;
        const reduced = costs[currentRow - 1]![c - 1]! - rowPotential[currentRow]! - columnPotential[c]!;
        if (reduced < slack[c]!) {
          slack[c] = reduced;
          previousColumn[c] = column;
        }
        if (slack[c]! < delta) {
          delta = slack[c]!;
          nextColumn = c;
        }
      }
      for (let c = 0; c <= nColumns; c++) {
        if (visited[c]) {
          rowPotential[rowOfColumn[c]!]! += delta;
          columnPotential[c]! -= delta;
        } else {
          slack[c]! -= delta;
        }
      }
      column = nextColumn;
    } while (rowOfColumn[column] !== 0);
    while (column !== 0) {
      const from = previousColumn[column]!;
      rowOfColumn[column] = rowOfColumn[from]!;
      column = from;
    }
  }
  const pairs: [number, number][] = [];
  for (let c = 1; c <= nColumns; c++) if (rowOfColumn[c] !== 0) pairs.push([rowOfColumn[c]! - 1, c - 1]);
  return pairs.sort((a, b) => a[0] - b[0]);
}
