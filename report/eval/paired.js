// Differences of every method from one of them, on the same photos.
(() => {
  'use strict';

  const { data, byId, select, fillSelect } = report;
  if (data.methods.length < 2) return;

  byId('paired').hidden = false;
  const canvas = byId('paired-chart', HTMLCanvasElement);
  const chart = charts.makeLying(canvas, 'difference of each method from the reference, with intervals', {
    legend: { onClick: () => undefined, labels: { boxWidth: 0 } },
    tooltip: { callbacks: { label: (item) => figures.exact(charts.figureOf(item)) } },
  });

  function draw() {
    const reference = Number(select('paired-reference').value);
    const measure = figures.measureOf(select('paired-measure').value);
    const shown = data.methods.map((_, m) => m).filter((m) => m !== reference && !methods.isHidden(m));
    const differences = shown.map((m) => figures.differenceOf(m, reference, measure.id));
    const label = `${measure.label} minus that of ${data.methods[reference].name}`;
    charts.showLying(
      chart,
      shown.map((m) => data.methods[m].name),
      charts.bars(label, shown.map(methods.colourOf), differences),
    );
  }

  fillSelect(select('paired-measure'), figures.options, draw);
  fillSelect(select('paired-reference'), methods.options, draw);
  methods.onToggle(draw);
  draw();
})();
