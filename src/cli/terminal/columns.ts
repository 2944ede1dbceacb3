/** Rows of cells as lines, two spaces between columns; `right` names the columns that are aligned right. */
export function columns(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const nColumns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: nColumns }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}
