// How a figure is spread over the photos: the share of them that reach each value.
(() => {
  'use strict';

  const { data, byId, select, fillSelect, number } = report;

  /** @param {string} text */
  const titled = (text) => ({ title: { display: true, text } });
  const chart = charts.make(byId('spread-chart', HTMLCanvasElement), 'cumulative share of photos by figure', {
    type: 'line',
    data: { datasets: [] },
    options: {
      parsing: false,
      elements: { point: { radius: 0, hitRadius: 6 }, line: { borderWidth: 2, stepped: true } },
      interaction: { mode: 'nearest', axis: 'x', intersect: false },
      plugins: {
        legend: charts.methodLegend,
        tooltip: {
          callbacks: {
            title: () => '',
            label: ({ dataset, parsed: { x, y } }) =>
              `${dataset.label}: ${number(y === null ? null : 100 * y, 1)} % at ${number(x, 4)}`,
          },
        },
      },
    },
  });

  function draw() {
    const { id, better, label } = figures.measureOf(select('spread-measure').value);
    const isBetterUp = better === 'higher';
    chart.data.datasets = data.methods.map((method, m) => {
      const values = data.photos.map((photo) => photo.methods[m].scores[id]).filter((value) => value !== null);
      values.sort((a, b) => a - b);
      return {
        label: method.name,
        borderColor: methods.colourOf(m),
        backgroundColor: methods.colourOf(m),
        data: values.map((x, i) => ({ x, y: (isBetterUp ? values.length - i : i + 1) / values.length })),
        hidden: methods.isHidden(m),
      };
    });
    chart.options.scales = {
      x: { type: 'linear', ...titled(label) },
      y: { min: 0, max: 1, ...titled(`share of photos with at ${isBetterUp ? 'least' : 'most'} this`) },
    };
    chart.update();
  }

  fillSelect(select('spread-measure'), figures.photoOptions, draw);
  charts.followMethods(chart);
  draw();
})();
