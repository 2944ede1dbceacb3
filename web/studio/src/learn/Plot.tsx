// A chart of lines as SVG, with axes of round numbers.
export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly isDashed?: boolean;
}

const SIZE = { width: 460, height: 260, left: 52, right: 10, top: 10, bottom: 36 };
const N_TICKS = 5;

export function Plot({
  title,
  xLabel,
  lines,
  marker,
}: {
  readonly title: string;
  readonly xLabel: string;
  readonly lines: readonly Line[];
  /** A line across at this x. */
  readonly marker?: number | undefined;
}) {
  const { width, height, left, right, top, bottom } = SIZE;
  const [xLow, xHigh] = rangeOf(lines.flatMap(({ points }) => points.map(([x]) => x)));
  const [yLow, yHigh] = rangeOf(lines.flatMap(({ points }) => points.map(([, y]) => y)));
  const toX = (x: number): number => left + ((x - xLow) / (xHigh - xLow)) * (width - left - right);
  const toY = (y: number): number => height - bottom - ((y - yLow) / (yHigh - yLow)) * (height - top - bottom);
  return (
    <figure class="plot">
      <svg viewBox={`0 0 ${String(width)} ${String(height)}`} role="img" aria-label={title}>
        {ticks(yLow, yHigh).map((y) => (
          <g key={`y${String(y)}`}>
            <line class="grid" x1={left} x2={width - right} y1={toY(y)} y2={toY(y)} />
            <text x={left - 6} y={toY(y) + 4} text-anchor="end">
              {short(y)}
            </text>
          </g>
        ))}
        {ticks(xLow, xHigh).map((x) => (
          <text key={`x${String(x)}`} x={toX(x)} y={height - bottom + 16} text-anchor="middle">
            {short(x)}
          </text>
        ))}
        <text x={width - right} y={height - 4} text-anchor="end">
          {xLabel}
        </text>
        {lines.map(({ name, colour, points, isDashed }) => (
          <g key={name}>
            <path class={isDashed ? 'line dashed' : 'line'} stroke={colour} d={pathOf(points, toX, toY)} />
            {points.length <= 30 &&
              points.map(([x, y], i) => (
                <circle key={i} cx={toX(x)} cy={toY(y)} r={3} fill={colour}>
                  <title>{`${name}: ${short(x)}, ${short(y)}`}</title>
                </circle>
              ))}
          </g>
        ))}
        {marker !== undefined && marker >= xLow && marker <= xHigh && (
          <line class="marker" x1={toX(marker)} x2={toX(marker)} y1={top} y2={height - bottom} />
        )}
      </svg>
      <figcaption>
        {title}
        {lines.length > 1 &&
          lines.map(({ name, colour }) => (
            <span key={name} class="kind">
              {' '}
              <span class="swatch" style={{ background: colour }} aria-hidden="true" /> {name}
            </span>
          ))}
      </figcaption>
    </figure>
  );
}

/** Okabe and Ito's colours, which the colour-blind tell apart, lighter ones left out. */
export const COLOURS = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#8f7d00',
  '#56b4e9',
  '#7a5195',
  '#e69f00',
] as const;

export function short(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

function pathOf(points: Line['points'], toX: (x: number) => number, toY: (y: number) => number): string {
  return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`).join('');
}

function rangeOf(values: readonly number[]): readonly [low: number, high: number] {
  if (values.length === 0) return [0, 1];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const room = (high - low || Math.abs(high) || 1) * 0.05;
  return [low - room, high + room];
}

function ticks(low: number, high: number): number[] {
  const rough = (high - low) / N_TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((each) => each * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
