type Rows = readonly (readonly string[])[];

/** Rows of cells as aligned lines, two spaces between columns; `right` names the columns that are aligned right. */
export function alignedLines(rows: Rows, right: readonly number[] = []): string[] {
  const widths = columnWidths(rows);
  return rows.map((row) =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** Rows of cells, none with a `|`, as the lines of a Markdown table whose head is the first row. */
export function markdownTable(rows: Rows): string[] {
  const widths = columnWidths(rows);
  const line = (row: readonly string[]): string => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
}

function columnWidths(rows: Rows): number[] {
  const nColumns = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: nColumns }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
}
