// A chart for each group of figures, with a bar for every method.
(() => {
  'use strict';

  const { data, byId } = report;

  for (const group of new Set(data.measures.map((measure) => measure.group))) {
    const shown = data.measures.filter((measure) => measure.group === group);
    const direction = shown[0].better === 'higher' ? '' : ' (lower is better)';
    const figuresOf = data.methods.map((method) => shown.map(({ id }) => method.figures[id]));
    const canvas = charts.addCanvas(byId('groups'), group + direction, shown.length > 6);
    const chart = charts.make(canvas, `${group}, by method`, {
      type: 'bar',
      data: {
        labels: shown.map(({ label }) => label),
        datasets: data.methods.map((method, m) => charts.bars(method.name, methods.colourOf(m), figuresOf[m])),
      },
      options: {
        interaction: { mode: 'nearest', intersect: true },
        scales: { y: { beginAtZero: true, ...charts.reach(figuresOf.flat()) } },
        plugins: {
          legend: charts.methodLegend,
          tooltip: {
            callbacks: { label: (item) => `${item.dataset.label}: ${figures.exact(charts.figureOf(item))}` },
          },
        },
      },
      plugins: [charts.whiskers],
    });
    charts.followMethods(chart);
  }
})();
