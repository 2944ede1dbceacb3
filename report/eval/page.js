// The script of an evaluation report; src/eval/report.ts puts it into the page with its data, report/shared.js and Chart.js.
(() => {
  'use strict';

  const { data, byId, element, svg } = globalThis.report;
  const { measures, methods, photos } = data;
  const isDark = matchMedia('(prefers-color-scheme: dark)').matches;

  // Okabe and Ito's colours, told apart by colour-blind readers too, then a second darker round.
  const PALETTE = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9', '#8f7d00', '#7a5195', '#5c636b'];
  const colourOf = (m) => PALETTE[m % PALETTE.length];
  const hidden = new Set();
  const charts = [];
  /** Charts whose datasets are the methods, in their order. */
  const methodCharts = [];

  Chart.defaults.color = isDark ? '#a3a9b1' : '#5c636b';
  Chart.defaults.borderColor = isDark ? '#3a3f46' : '#dcdfe3';
  Chart.defaults.font.family = 'system-ui, sans-serif';
  Chart.defaults.animation = false;
  Chart.defaults.maintainAspectRatio = false;

  const number = (value, digits = 4) => (value === null ? 'n/a' : value.toFixed(digits));
  const interval = ({ low, high }, digits = 4) =>
    low === null ? '' : `[${number(low, digits)}, ${number(high, digits)}]`;
  const exact = (figure) => `${number(figure.value)} ${interval(figure)}`;
  const measureOf = (id) => measures.find((measure) => measure.id === id);

  function head() {
    const { dataset, bootstrap } = data;
    const split = dataset.split === null ? '' : `, split ${dataset.split}`;
    const list = (title, lines) =>
      lines.length === 0
        ? ''
        : element(
            'details',
            {},
            element('summary', {}, title),
            element('ul', {}, ...lines.map((line) => element('li', {}, line))),
          );
    byId('head').append(
      element('h1', {}, `${dataset.name}${split}: ${methods.length} methods on ${dataset.nPhotos} photos`),
      element('p', {}, `Made ${data.createdAt} by Framewright.`),
      list(
        `${dataset.missing.length} labelled photos are missing`,
        dataset.missing.map(({ id, reason }) => `${id}: ${reason}`),
      ),
      list(`${dataset.repairs.length} labels were repaired or left out`, dataset.repairs),
      list(
        `${data.errors.length} predictions failed`,
        data.errors.map(({ photo, method, code, message }) => `${photo}, ${method}: ${message} [${code}]`),
      ),
    );
    byId('figures-note').textContent =
      `Brackets and whiskers are 95 % intervals over ${bootstrap.resamples} bootstrap samples of the photos (seed ${bootstrap.seed}). ` +
      'A photo without a usable prediction counts as the worst.';
  }

  function methodButtons() {
    methods.forEach((method, m) => {
      const button = element(
        'button',
        { type: 'button', 'aria-pressed': 'true', title: method.key, onclick: () => toggle(m) },
        method.name,
      );
      button.style.setProperty('--colour', colourOf(m));
      byId('methods').append(button);
    });
  }

  function toggle(m) {
    if (!hidden.delete(m)) hidden.add(m);
    byId('methods').children[m].setAttribute('aria-pressed', String(!hidden.has(m)));
    for (const row of document.querySelectorAll(`tr[data-method="${m}"]`)) row.classList.toggle('off', hidden.has(m));
    for (const chart of methodCharts) {
      chart.setDatasetVisibility(m, !hidden.has(m));
      chart.update();
    }
    drawPaired();
    drawGallery();
  }

  function table(target, shown) {
    const best = shown.map(({ id, better }) => {
      const values = methods.map(({ figures }) => figures[id].value).filter((value) => value !== null);
      return better === 'higher' ? Math.max(...values) : Math.min(...values);
    });
    const headings = shown.map(({ label, better, group }) =>
      element('th', { title: `${group}; ${better} is better` }, `${label} ${better === 'higher' ? '↑' : '↓'}`),
    );
    const rows = methods.map((method, m) =>
      element(
        'tr',
        { 'data-method': String(m) },
        element('th', { scope: 'row', title: method.key }, method.name),
        ...shown.map(({ id }, i) =>
          element(
            'td',
            { class: method.figures[id].value === best[i] ? 'best' : undefined },
            number(method.figures[id].value, 3),
            ' ',
            element('small', {}, interval(method.figures[id], 3)),
          ),
        ),
        element('td', {}, String(method.nUnusable)),
        element('td', {}, `${method.medianMs.toFixed(0)} ms`),
      ),
    );
    target.append(
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          element('th', {}, 'method'),
          ...headings,
          element('th', {}, 'unusable'),
          element('th', {}, 'median time'),
        ),
      ),
      element('tbody', {}, ...rows),
    );
  }

  /** Makes a scale reach to the ends of the intervals, not only to the bars'. */
  function reach(figures) {
    const ends = figures.flatMap(({ low, high }) => [low, high]).filter((value) => value !== null);
    return ends.length === 0 ? {} : { suggestedMin: Math.min(0, ...ends), suggestedMax: Math.max(0, ...ends) };
  }

  /** Draws each bar's interval; datasets carry `intervals`, one `{low, high}` a bar. */
  const whiskers = {
    id: 'whiskers',
    afterDatasetsDraw(chart) {
      const isHorizontal = chart.options.indexAxis === 'y';
      const scale = chart.scales[isHorizontal ? 'x' : 'y'];
      const { ctx } = chart;
      ctx.save();
      ctx.strokeStyle = isDark ? '#e8eaed' : '#1c1e21';
      ctx.lineWidth = 1.25;
      chart.data.datasets.forEach((dataset, d) => {
        if (!chart.isDatasetVisible(d) || !dataset.intervals) return;
        chart.getDatasetMeta(d).data.forEach((bar, i) => {
          const { low, high } = dataset.intervals[i];
          if (low === null || high === null) return;
          const [from, to] = [scale.getPixelForValue(low), scale.getPixelForValue(high)];
          const across = isHorizontal ? bar.y : bar.x;
          const cap = Math.min(5, (isHorizontal ? bar.height : bar.width) / 3);
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

  function makeChart(canvas, description, config) {
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', description);
    const chart = new Chart(canvas, config);
    charts.push(chart);
    return chart;
  }

  function chartFigure(parent, title, isWide = false) {
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

  const methodLegend = { onClick: (_event, item) => toggle(item.datasetIndex) };

  function groupCharts() {
    for (const group of new Set(measures.map((measure) => measure.group))) {
      const shown = measures.filter((measure) => measure.group === group);
      const direction = shown[0].better === 'higher' ? '' : ' (lower is better)';
      const chart = makeChart(chartFigure(byId('groups'), group + direction, shown.length > 6), `${group}, by method`, {
        type: 'bar',
        data: {
          labels: shown.map(({ label }) => label),
          datasets: methods.map((method, m) => ({
            label: method.name,
            backgroundColor: colourOf(m),
            data: shown.map(({ id }) => method.figures[id].value),
            intervals: shown.map(({ id }) => method.figures[id]),
          })),
        },
        options: {
          interaction: { mode: 'nearest', intersect: true },
          scales: {
            y: { beginAtZero: true, ...reach(methods.flatMap(({ figures }) => shown.map(({ id }) => figures[id]))) },
          },
          plugins: {
            legend: methodLegend,
            tooltip: {
              callbacks: {
                label: ({ dataset, dataIndex }) => `${dataset.label}: ${exact(dataset.intervals[dataIndex])}`,
              },
            },
          },
        },
        plugins: [whiskers],
      });
      methodCharts.push(chart);
    }
  }

  function fillSelect(select, options, onChange) {
    select.append(...options.map(([value, text]) => element('option', { value }, text)));
    select.addEventListener('change', onChange);
  }

  const measureOptions = measures.map(({ id, label, group }) => [
    id,
    measures.filter((other) => other.label === label).length > 1 ? `${label}, ${group}` : label,
  ]);
  const main = measures.filter(({ group }) => data.mainGroups.includes(group));
  /** Photos carry the main figures only. */
  const photoMeasureOptions = measureOptions.filter(([id]) => main.some((measure) => measure.id === id));
  const methodOptions = methods.map(({ name }, m) => [String(m), name]);

  let pairedChart;
  function differenceOf(m, r, id) {
    const found = data.paired.find(
      ({ method, reference }) => method === methods[m].name && reference === methods[r].name,
    );
    if (found) return found.differences[id];
    const mirrored = data.paired.find(
      ({ method, reference }) => method === methods[r].name && reference === methods[m].name,
    );
    const { value, low, high } = mirrored.differences[id];
    const minus = (x) => (x === null ? null : -x);
    return { value: minus(value), low: minus(high), high: minus(low) };
  }

  function drawPaired() {
    if (!pairedChart) return;
    const reference = Number(byId('paired-reference').value);
    const measure = measureOf(byId('paired-measure').value);
    const shown = methods.map((_, m) => m).filter((m) => m !== reference && !hidden.has(m));
    const differences = shown.map((m) => differenceOf(m, reference, measure.id));
    pairedChart.data = {
      labels: shown.map((m) => methods[m].name),
      datasets: [
        {
          label: `${measure.label} minus that of ${methods[reference].name}`,
          backgroundColor: shown.map(colourOf),
          data: differences.map(({ value }) => value),
          intervals: differences,
        },
      ],
    };
    pairedChart.options.scales.x = reach(differences);
    pairedChart.update();
  }

  function pairedSection() {
    if (methods.length < 2) return;
    byId('paired').hidden = false;
    fillSelect(byId('paired-measure'), measureOptions, drawPaired);
    fillSelect(byId('paired-reference'), methodOptions, drawPaired);
    pairedChart = makeChart(byId('paired-chart'), 'difference of each method from the reference, with intervals', {
      type: 'bar',
      data: { labels: [], datasets: [] },
      options: {
        indexAxis: 'y',
        scales: { x: {} },
        plugins: {
          legend: { onClick: () => undefined, labels: { boxWidth: 0 } },
          tooltip: { callbacks: { label: ({ dataset, dataIndex }) => exact(dataset.intervals[dataIndex]) } },
        },
      },
      plugins: [whiskers],
    });
    drawPaired();
  }

  let spreadChart;
  function drawSpread() {
    const { id, better, label } = measureOf(byId('spread-measure').value);
    const isBetterUp = better === 'higher';
    spreadChart.data.datasets = methods.map((method, m) => {
      const values = photos.map((photo) => photo.methods[m].scores[id]).filter((value) => value !== null);
      values.sort((a, b) => a - b);
      const points = values.map((value, i) => ({
        x: value,
        y: (isBetterUp ? values.length - i : i + 1) / values.length,
      }));
      return {
        label: method.name,
        borderColor: colourOf(m),
        backgroundColor: colourOf(m),
        data: points,
        hidden: hidden.has(m),
      };
    });
    spreadChart.options.scales.x.title.text = label;
    spreadChart.options.scales.y.title.text = `share of photos with at ${isBetterUp ? 'least' : 'most'} this`;
    spreadChart.update();
  }

  function spreadSection() {
    fillSelect(byId('spread-measure'), photoMeasureOptions, drawSpread);
    spreadChart = makeChart(byId('spread-chart'), 'cumulative share of photos by figure', {
      type: 'line',
      data: { datasets: [] },
      options: {
        parsing: false,
        elements: { point: { radius: 0, hitRadius: 6 }, line: { borderWidth: 2, stepped: true } },
        interaction: { mode: 'nearest', axis: 'x', intersect: false },
        scales: {
          x: { type: 'linear', title: { display: true, text: '' } },
          y: { min: 0, max: 1, title: { display: true, text: '' } },
        },
        plugins: {
          legend: methodLegend,
          tooltip: {
            callbacks: {
              title: () => '',
              label: ({ dataset, raw }) => `${dataset.label}: ${(100 * raw.y).toFixed(1)} % at ${number(raw.x)}`,
            },
          },
        },
      },
    });
    methodCharts.push(spreadChart);
    drawSpread();
  }

  /** For each method that has everything: itself and what was taken from it, as bars, with the difference it makes. */
  function ablationSection() {
    const wholes = new Set(methods.flatMap(({ ablation }) => (ablation ? [ablation.of] : [])));
    byId('ablations').hidden = wholes.size === 0;
    for (const whole of wholes) {
      const shown = methods
        .map((_, m) => m)
        .filter((m) => methods[m].name === whole || methods[m].ablation?.of === whole);
      const reference = methods.findIndex(({ name }) => name === whole);
      const select = element('select', { 'aria-label': 'figure' });
      const holder = element('div', { class: 'ablation' }, element('div', { class: 'controls' }, select));
      byId('ablations').append(holder);
      const differenceText = (m) =>
        m === reference ? 'everything' : `difference ${exact(differenceOf(m, reference, select.value))}`;
      const chart = makeChart(chartFigure(holder, whole, true), `figure of ${whole} and without each part of it`, {
        type: 'bar',
        data: { labels: [], datasets: [] },
        options: {
          indexAxis: 'y',
          scales: { x: {} },
          plugins: {
            legend: { display: false },
            tooltip: {
              callbacks: {
                label: ({ dataset, dataIndex }) => exact(dataset.intervals[dataIndex]),
                afterLabel: ({ dataIndex }) => differenceText(shown[dataIndex]),
              },
            },
          },
        },
        plugins: [whiskers],
      });
      const draw = () => {
        const figures = shown.map((m) => methods[m].figures[select.value]);
        chart.data = {
          labels: shown.map((m) => methods[m].ablation?.change ?? whole),
          datasets: [
            {
              label: measureOf(select.value).label,
              backgroundColor: shown.map((m) => (m === reference ? colourOf(0) : colourOf(5))),
              data: figures.map(({ value }) => value),
              intervals: figures,
            },
          ],
        };
        chart.options.scales.x = reach(figures);
        chart.update();
      };
      fillSelect(select, measureOptions, draw);
      draw();
    }
  }

  /** A line at the slider's place; the chart carries `markedValue`. */
  const marker = {
    id: 'marker',
    afterDatasetsDraw(chart) {
      const x = chart.scales.x.getPixelForValue(chart.markedValue);
      const { ctx, chartArea } = chart;
      ctx.save();
      ctx.strokeStyle = isDark ? '#e8eaed' : '#1c1e21';
      ctx.setLineDash([4, 4]);
      ctx.beginPath();
      ctx.moveTo(x, chartArea.top);
      ctx.lineTo(x, chartArea.bottom);
      ctx.stroke();
      ctx.restore();
    },
  };

  function sweepSection() {
    const all = methods.flatMap(({ sweeps = [], figures }) => sweeps.map((sweep) => ({ sweep, figures })));
    const parameters = new Set(all.map(({ sweep }) => sweep.parameter));
    byId('sweeps').hidden = parameters.size === 0;
    for (const parameter of parameters) {
      const points = all.filter(({ sweep }) => sweep.parameter === parameter);
      const labelOf = (value) => points.find(({ sweep }) => sweep.value === value).sweep.label ?? String(value);
      const values = [...new Set(points.map(({ sweep }) => sweep.value))].sort((a, b) => a - b);
      const seriesNames = [...new Set(points.map(({ sweep }) => sweep.series))];
      const select = element('select', { 'aria-label': 'figure' });
      const slider = element('input', {
        type: 'range',
        min: '0',
        max: String(values.length - 1),
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
      const chart = makeChart(chartFigure(holder, parameter, true), `figure against ${parameter}`, {
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
                label: ({ dataset, raw }) => `${dataset.label}, ${parameter} ${labelOf(raw.x)}: ${exact(raw.figure)}`,
              },
            },
          },
        },
        plugins: [marker],
      });
      const pointOf = (series, value) => points.find(({ sweep }) => sweep.series === series && sweep.value === value);
      const mark = () => {
        const value = values[Number(slider.value)];
        chart.markedValue = value;
        chart.draw();
        const figures = seriesNames.flatMap((series) => {
          const point = pointOf(series, value);
          return point ? [`${series}: ${exact(point.figures[select.value])}`] : [];
        });
        readout.textContent = `${parameter} ${labelOf(value)}: ${figures.join(' · ')}`;
      };
      const draw = () => {
        chart.data.datasets = seriesNames.map((series, s) => ({
          label: series,
          borderColor: colourOf(s),
          backgroundColor: colourOf(s),
          borderDash: s === 0 ? [] : [6, 4],
          data: values.flatMap((value) => {
            const figure = pointOf(series, value)?.figures[select.value];
            return figure && figure.value !== null ? [{ x: value, y: figure.value, figure }] : [];
          }),
        }));
        chart.markedValue = values[Number(slider.value)];
        chart.update();
        mark();
      };
      fillSelect(select, measureOptions, draw);
      slider.addEventListener('input', mark);
      draw();
    }
  }

  function shapeNode({ points, isClosed, title, isLoser }, attributes) {
    const tag = isClosed ? 'polygon' : 'polyline';
    const node = svg(tag, { ...attributes, points: points.map((point) => point.join(',')).join(' ') }, title);
    if (isLoser) node.classList.add('loser');
    return node;
  }

  function photoFigure(photo, measure) {
    const [width, height] = photo.size;
    // Label space need not have the photo's shape (CADB's is square), so it is stretched over the thumbnail.
    const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none' });
    drawing.style.aspectRatio = String(photo.aspect);
    if (photo.thumbnail)
      drawing.append(svg('image', { href: photo.thumbnail, width, height, preserveAspectRatio: 'none' }));
    for (const shape of photo.labels) drawing.append(shapeNode(shape, { class: 'label' }));
    const caption = element('figcaption', {}, element('div', {}, photo.id));
    photo.methods.forEach(({ shapes, scores, unusable }, m) => {
      if (hidden.has(m)) return;
      for (const shape of shapes) {
        const node = shapeNode(
          { ...shape, title: `${methods[m].name}${shape.title ? `: ${shape.title}` : ''}` },
          { class: 'prediction' },
        );
        node.style.stroke = colourOf(m);
        drawing.append(node);
      }
      const score = element(
        'span',
        { title: unusable ?? methods[m].name },
        unusable ? 'unusable' : number(scores[measure.id], 3),
      );
      score.style.setProperty('--colour', colourOf(m));
      caption.append(score);
    });
    return element(
      'figure',
      { class: 'photo', onclick: (event) => event.currentTarget.classList.toggle('large') },
      drawing,
      caption,
    );
  }

  const PAGE = 48;
  let nShown = PAGE;
  function drawGallery() {
    const measure = measureOf(byId('gallery-measure').value);
    const m = Number(byId('gallery-method').value);
    const isWorstFirst = byId('gallery-order').value === 'worst';
    const direction = (measure.better === 'higher') === isWorstFirst ? 1 : -1;
    const scoreOf = (photo) => photo.methods[m].scores[measure.id];
    const sorted = photos.slice().sort((a, b) => {
      const [x, y] = [scoreOf(a), scoreOf(b)];
      if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
      return direction * (x - y);
    });
    byId('gallery').replaceChildren(...sorted.slice(0, nShown).map((photo) => photoFigure(photo, measure)));
    byId('gallery-more').hidden = nShown >= photos.length;
    const nThumbnails = photos.filter(({ thumbnail }) => thumbnail).length;
    byId('gallery-note').textContent =
      `${Math.min(nShown, photos.length)} of ${photos.length} photos; white: labels, coloured: methods; click to enlarge.` +
      (nThumbnails < photos.length ? ` ${nThumbnails} of them come with their picture.` : '');
  }

  function gallerySection() {
    const redraw = () => {
      nShown = PAGE;
      drawGallery();
    };
    fillSelect(byId('gallery-measure'), photoMeasureOptions, redraw);
    fillSelect(byId('gallery-method'), methodOptions, redraw);
    byId('gallery-method').value = String(methods.length - 1);
    byId('gallery-order').addEventListener('change', redraw);
    byId('gallery-more').addEventListener('click', () => {
      nShown += PAGE;
      drawGallery();
    });
    drawGallery();
  }

  head();
  methodButtons();
  table(byId('figures'), main);
  if (main.length < measures.length) table(byId('all-figures'), measures);
  else byId('more-figures').hidden = true;
  groupCharts();
  ablationSection();
  sweepSection();
  pairedSection();
  spreadSection();
  gallerySection();
})();
