// What the charts share: their style, bars with intervals, and a legend that shows and hides methods everywhere.
const charts = (() => {
  'use strict';

  /**
   * A set of bars with an interval each.
   * @typedef {import('chart.js').ChartDataset<'bar', (number | null)[]> & { readonly intervals: readonly Figure[] }} Bars
   */
  /** @typedef {import('chart.js').ChartType} ChartType */
  /** @typedef {PageData['methods'][number]['figures'][string]} Figure */

  const { element } = report;
  const { Chart } = /** @type {typeof globalThis & { Chart: typeof import('chart.js').Chart }} */ (globalThis);
  const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const INK = isDark ? '#e8eaed' : '#1c1e21';

  Chart.defaults.color = isDark ? '#a3a9b1' : '#5c636b';
  Chart.defaults.borderColor = isDark ? '#3a3f46' : '#dcdfe3';
  Chart.defaults.font.family = 'system-ui, sans-serif';
  Chart.defaults.animation = false;
  Chart.defaults.maintainAspectRatio = false;

  /**
   * @template {ChartType} T
   * @template D
   * @param {HTMLCanvasElement} canvas
   * @param {string} description
   * @param {import('chart.js').ChartConfiguration<T, D, string>} config
   */
  function make(canvas, description, config) {
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', description);
    return new Chart(canvas, config);
  }

  /**
   * A canvas in a figure of its own.
   * @param {HTMLElement} parent
   * @param {string} title
   * @param {boolean} isWide
   */
  function addCanvas(parent, title, isWide) {
    const canvas = element('canvas');
    parent.append(
      element(
        'figure',
        { class: isWide ? 'chart wide' : 'chart' },
        element('figcaption', {}, title),
        element('div', {}, canvas),
      ),
    );
    return canvas;
  }

  /**
   * @param {string} label
   * @param {string | string[]} colour Of all bars, or of each.
   * @param {readonly Figure[]} shown
   * @returns {Bars}
   */
  function bars(label, colour, shown) {
    return { label, backgroundColor: colour, data: shown.map(({ value }) => value), intervals: shown };
  }

  /**
   * Bars that lie, with whiskers; `showLying` gives them.
   * @param {HTMLCanvasElement} canvas
   * @param {string} description
   * @param {import('chart.js').ChartOptions<'bar'>['plugins']} plugins
   */
  const makeLying = (canvas, description, plugins) =>
    make(canvas, description, {
      type: 'bar',
      /** @type {import('chart.js').ChartData<'bar', (number | null)[], string>} */
      data: { labels: [], datasets: [] },
      options: { indexAxis: 'y', scales: { x: {} }, plugins: plugins ?? {} },
      plugins: [whiskers],
    });

  /**
   * @param {import('chart.js').Chart<'bar', (number | null)[], string>} chart
   * @param {string[]} labels
   * @param {Bars} set
   */
  function showLying(chart, labels, set) {
    chart.data = { labels, datasets: [set] };
    chart.options.scales = { x: reach(set.intervals) };
    chart.update();
  }

  /** @param {import('chart.js').TooltipItem<'bar'>} item */
  const figureOf = ({ dataset, dataIndex }) => /** @type {Bars} */ (dataset).intervals[dataIndex];

  /**
   * Makes a scale reach to the ends of the intervals, not only to the bars'.
   * @param {readonly Figure[]} shown
   */
  function reach(shown) {
    const ends = shown.flatMap(({ low, high }) => [low, high]).filter((value) => value !== null);
    return ends.length === 0 ? {} : { suggestedMin: Math.min(0, ...ends), suggestedMax: Math.max(0, ...ends) };
  }

  /**
   * Draws the interval of each bar.
   * @type {import('chart.js').Plugin<'bar'>}
   */
  const whiskers = {
    id: 'whiskers',
    afterDatasetsDraw(chart) {
      const isHorizontal = chart.options.indexAxis === 'y';
      const scale = chart.scales[isHorizontal ? 'x' : 'y'];
      const { ctx } = chart;
      ctx.save();
      ctx.strokeStyle = INK;
      ctx.lineWidth = 1.25;
      chart.data.datasets.forEach((dataset, d) => {
        if (!chart.isDatasetVisible(d)) return;
        const { intervals } = /** @type {Bars} */ (dataset);
        const drawn = /** @type {import('chart.js').BarElement[]} */ (chart.getDatasetMeta(d).data);
        drawn.forEach((bar, i) => {
          const { low, high } = intervals[i];
          if (low === null || high === null) return;
          const { width, height } = bar.getProps(['width', 'height']);
          const [from, to] = [scale.getPixelForValue(low), scale.getPixelForValue(high)];
          const across = isHorizontal ? bar.y : bar.x;
          const cap = Math.min(5, (isHorizontal ? height : width) / 3);
          /**
           * @param {number} a1
           * @param {number} b1
           * @param {number} a2
           * @param {number} b2
           */
          const line = (a1, b1, a2, b2) => {
            ctx.moveTo(isHorizontal ? b1 : a1, isHorizontal ? a1 : b1);
            ctx.lineTo(isHorizontal ? b2 : a2, isHorizontal ? a2 : b2);
          };
          ctx.beginPath();
          line(across, from, across, to);
          line(across - cap, from, across + cap, from);
          line(across - cap, to, across + cap, to);
          ctx.stroke();
        });
      });
      ctx.restore();
    },
  };

  /**
   * Keeps a chart whose datasets are the methods, in their order, in step with which of them are shown.
   * @param {{ setDatasetVisibility(index: number, isVisible: boolean): void, update(): void }} chart
   */
  function followMethods(chart) {
    methods.onToggle((m) => {
      chart.setDatasetVisibility(m, !methods.isHidden(m));
      chart.update();
    });
  }

  /** The legend of such a chart. */
  const methodLegend = {
    /**
     * @param {unknown} _event
     * @param {import('chart.js').LegendItem} item
     */
    onClick: (_event, { datasetIndex }) => {
      if (datasetIndex !== undefined) methods.toggle(datasetIndex);
    },
  };

  return { INK, make, addCanvas, makeLying, showLying, bars, figureOf, reach, whiskers, followMethods, methodLegend };
})();
