// For each method that has everything: itself and what was taken from it, as bars, with the difference it makes.
(() => {
  'use strict';

  const { data, byId, element, fillSelect } = report;

  const wholes = new Set(data.methods.flatMap(({ ablation }) => (ablation ? [ablation.of] : [])));
  byId('ablations').hidden = wholes.size === 0;
  for (const whole of wholes) addChart(whole);

  /** @param {string} whole Name of the method that has everything. */
  function addChart(whole) {
    const shown = data.methods
      .map((_, m) => m)
      .filter((m) => data.methods[m].name === whole || data.methods[m].ablation?.of === whole);
    const reference = data.methods.findIndex(({ name }) => name === whole);
    const select = element('select', { 'aria-label': 'figure' });
    const holder = element('div', { class: 'ablation' }, element('div', { class: 'controls' }, select));
    byId('ablations').append(holder);
    /** @param {number} m */
    const differenceText = (m) =>
      m === reference ? 'everything' : `difference ${figures.exact(figures.differenceOf(m, reference, select.value))}`;
    const canvas = charts.addCanvas(holder, whole, true);
    const chart = charts.makeLying(canvas, `figure of ${whole} and without each part of it`, {
      legend: { display: false },
      tooltip: {
        callbacks: {
          label: (item) => figures.exact(charts.figureOf(item)),
          afterLabel: ({ dataIndex }) => differenceText(shown[dataIndex]),
        },
      },
    });
    const draw = () => {
      const drawn = shown.map((m) => data.methods[m].figures[select.value]);
      const colours = shown.map((m) => methods.colourOf(m === reference ? 0 : 5));
      const labels = shown.map((m) => data.methods[m].ablation?.change ?? whole);
      charts.showLying(chart, labels, charts.bars(figures.measureOf(select.value).label, colours, drawn));
    };
    fillSelect(select, figures.options, draw);
    draw();
  }
})();
