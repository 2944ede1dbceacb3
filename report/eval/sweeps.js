// Figures against a setting that was swept, with a slider that reads them out.
(() => {
  'use strict';

  const { data, byId, element, fillSelect } = report;

  const all = data.methods.flatMap(({ sweeps = [], figures: measured }) =>
    sweeps.map((sweep) => ({ ...sweep, figures: measured })),
  );
  const parameters = new Set(all.map(({ parameter }) => parameter));
  byId('sweeps').hidden = parameters.size === 0;
  for (const parameter of parameters) addChart(parameter);

  /**
   * A line across the chart at a value of x.
   * @param {() => number} valueOf
   * @returns {import('chart.js').Plugin<'line'>}
   */
  function marker(valueOf) {
    return {
      id: 'marker',
      afterDatasetsDraw({ ctx, chartArea, scales }) {
        const x = scales.x.getPixelForValue(valueOf());
        ctx.save();
        ctx.strokeStyle = charts.INK;
        ctx.setLineDash([4, 4]);
        ctx.beginPath();
        ctx.moveTo(x, chartArea.top);
        ctx.lineTo(x, chartArea.bottom);
        ctx.stroke();
        ctx.restore();
      },
    };
  }

  /** @param {string} parameter */
  function addChart(parameter) {
    const points = all.filter((point) => point.parameter === parameter);
    const values = [...new Set(points.map(({ value }) => value))].sort((a, b) => a - b);
    const seriesNames = [...new Set(points.map(({ series }) => series))];
    /** @param {number} value */
    const labelOf = (value) => points.find((point) => point.value === value)?.label ?? String(value);
    /**
     * @param {string} series
     * @param {number} value
     */
    const pointOf = (series, value) => points.find((point) => point.series === series && point.value === value);

    const select = element('select', { 'aria-label': 'figure' });
    const slider = element('input', {
      type: 'range',
      min: '0',
      max: values.length - 1,
      step: '1',
      value: '0',
      'aria-label': parameter,
    });
    const readout = element('output');
    const holder = element(
      'div',
      { class: 'sweep', 'data-parameter': parameter },
      element('div', { class: 'controls' }, select, slider),
      readout,
    );
    byId('sweeps').append(holder);
    const valueMarked = () => values[Number(slider.value)];
    const chart = charts.make(charts.addCanvas(holder, parameter, true), `figure against ${parameter}`, {
      type: 'line',
      data: { datasets: [] },
      options: {
        parsing: false,
        interaction: { mode: 'nearest', intersect: false },
        scales: { x: { type: 'linear', title: { display: true, text: parameter } } },
        plugins: {
          tooltip: {
            callbacks: {
              title: () => '',
              label: ({ dataset, parsed: { x } }) => {
                const figure = x === null ? undefined : pointOf(dataset.label ?? '', x)?.figures[select.value];
                return x === null || !figure
                  ? ''
                  : `${dataset.label}, ${parameter} ${labelOf(x)}: ${figures.exact(figure)}`;
              },
            },
          },
        },
      },
      plugins: [marker(valueMarked)],
    });
    const readOut = () => {
      const value = valueMarked();
      const read = seriesNames.flatMap((series) => {
        const point = pointOf(series, value);
        return point ? [`${series}: ${figures.exact(point.figures[select.value])}`] : [];
      });
      readout.textContent = `${parameter} ${labelOf(value)}: ${read.join(' · ')}`;
    };
    const draw = () => {
      chart.data.datasets = seriesNames.map((series, s) => ({
        label: series,
        borderColor: methods.colourOf(s),
        backgroundColor: methods.colourOf(s),
        borderDash: s === 0 ? [] : [6, 4],
        data: values.flatMap((x) => {
          const y = pointOf(series, x)?.figures[select.value].value ?? null;
          return y === null ? [] : [{ x, y }];
        }),
      }));
      chart.update();
      readOut();
    };
    fillSelect(select, figures.options, draw);
    slider.addEventListener('input', () => {
      chart.draw();
      readOut();
    });
    draw();
  }
})();
