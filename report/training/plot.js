// A chart of lines as SVG: axes with round numbers, a legend, strokes at the foot.
const plots = (() => {
  'use strict';

  /** @typedef {{ name: string, colour: string, points: readonly (readonly [x: number, y: number])[], isFaint?: boolean }} Line */
  /** @typedef {{ title: string, xLabel: string, lines: readonly Line[], strokes?: readonly number[], yFrom?: number }} Chart */

  const { element, svg } = report;
  const SIZE = { width: 460, height: 260, left: 52, right: 10, top: 10, bottom: 34 };
  const N_TICKS = 5;

  /**
   * Round numbers from low to high, some more or fewer than asked for.
   * @param {number} low
   * @param {number} high
   */
  function ticks(low, high) {
    const rough = (high - low) / N_TICKS;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * ([1, 2, 5].find((each) => each * power >= rough) ?? 10);
    const first = Math.ceil(low / step - 1e-9);
    const last = Math.floor(high / step + 1e-9);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
  }

  /** @param {number} value */
  function short(value) {
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(0);
    return String(Number(value.toPrecision(3)));
  }

  /**
   * @param {readonly number[]} values
   * @returns {readonly [low: number, high: number]}
   */
  function range(values) {
    const finite = values.filter(Number.isFinite);
    if (finite.length === 0) return [0, 1];
    const low = finite.reduce((a, b) => Math.min(a, b));
    const high = finite.reduce((a, b) => Math.max(a, b));
    const room = (high - low || Math.abs(high) || 1) * 0.05;
    return [low - room, high + room];
  }

  /** @param {Chart} chart */
  function draw({ title, xLabel, lines, strokes = [], yFrom }) {
    const { width, height, left, right, top, bottom } = SIZE;
    const xs = lines.flatMap(({ points }) => points.map(([x]) => x));
    const [xLow, xHigh] = range(xs);
    const [yLeast, yHigh] = range(lines.flatMap(({ points }) => points.map(([, y]) => y)));
    const yLow = yFrom ?? yLeast;
    /** @param {number} x */
    const toX = (x) => left + ((x - xLow) / (xHigh - xLow)) * (width - left - right);
    /** @param {number} y */
    const toY = (y) => height - bottom - ((y - yLow) / (yHigh - yLow)) * (height - top - bottom);
    const image = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': title });
    for (const y of ticks(yLow, yHigh)) {
      image.append(svg('line', { class: 'grid', x1: left, x2: width - right, y1: toY(y), y2: toY(y) }));
      image.append(label(short(y), { x: left - 6, y: toY(y) + 4, 'text-anchor': 'end' }));
    }
    for (const x of ticks(xLow, xHigh))
      image.append(label(short(x), { x: toX(x), y: height - bottom + 16, 'text-anchor': 'middle' }));
    image.append(label(xLabel, { x: width - right, y: height - 4, 'text-anchor': 'end' }));
    for (const x of strokes.filter((each) => each >= xLow && each <= xHigh)) {
      const foot = height - bottom;
      image.append(
        svg('line', { stroke: 'currentColor', opacity: 0.5, x1: toX(x), x2: toX(x), y1: foot, y2: foot - 10 }),
      );
    }
    for (const { points, colour, isFaint } of lines) {
      const shown = points.filter(([, y]) => Number.isFinite(y));
      const path = shown.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`).join('');
      image.append(svg('path', { class: 'line', d: path, stroke: colour, opacity: isFaint ? 0.35 : 1 }));
      if (shown.length <= 30 && !isFaint)
        for (const [x, y] of shown) image.append(svg('circle', { cx: toX(x), cy: toY(y), r: 2, fill: colour }));
    }
    const keys = lines.map(({ name, colour }) =>
      element('span', {}, element('span', { class: 'key', style: `background:${colour}` }), name),
    );
    return element(
      'figure',
      { class: 'chart' },
      element('figcaption', {}, title),
      image,
      element('div', { class: 'legend' }, ...keys),
    );
  }

  /**
   * @param {string} text
   * @param {Readonly<Record<string, string | number>>} attributes
   */
  function label(text, attributes) {
    const node = svg('text', attributes);
    node.textContent = text;
    return node;
  }

  return { draw };
})();
