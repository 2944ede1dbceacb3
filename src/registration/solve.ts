/**
 * Solves `matrix x = right` by Gauss' elimination with pivots; undefined where the matrix has no inverse.
 * @param matrix n x n, row major; it is overwritten, as is `right`
 */
export function solve(matrix: Float64Array, right: Float64Array): Float64Array | undefined {
  const n = right.length;
  const largest = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++) {
      if (Math.abs(matrix[row * n + column]!) > Math.abs(matrix[pivot * n + column]!)) pivot = row;
    }
    if (!(Math.abs(matrix[pivot * n + column]!) > 1e-9 * largest)) return undefined;
    for (let k = 0; k < n; k++) {
      const above = matrix[column * n + k]!;
      matrix[column * n + k] = matrix[pivot * n + k]!;
      matrix[pivot * n + k] = above;
    }
    const value = right[column]!;
    right[column] = right[pivot]!;
    right[pivot] = value;
    for (let row = 0; row < n; row++) {
      if (row === column) continue;
      const factor = matrix[row * n + column]! / matrix[column * n + column]!;
      if (factor === 0) continue;
      for (let k = column; k < n; k++) matrix[row * n + k]! -= factor * matrix[column * n + k]!;
      right[row]! -= factor * right[column]!;
    }
  }
  return right.map((value, i) => value / matrix[i * n + i]!);
}
