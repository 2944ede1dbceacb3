// The script of an attention report; src/attention/report.ts puts it into the page with its data and report/shared.js.
(() => {
  'use strict';

  const { data, byId, element, svg } = globalThis.report;
  const { groups, conditions, figures, table, photos, nLayer, nHead } = data;

  const CONDITION_LABELS = { enhanced: 'with the elements drawn', plain: 'without' };
  const FIGURE_NOTES = {
    share: 'Sum over the tokens, mean over the answer, layers and heads; the column sums to 1.',
    lift: 'Attention a token gets, over that of all tokens: 1 where every token gets the same.',
    normalised: 'Attention a token gets, over that of the element name or coordinate that gets most.',
  };
  const digits = (value, n = 3) => (value === null ? 'n/a' : value.toFixed(n));

  function head() {
    const { model, nPhotos, createdAt, isTrained } = data;
    byId('head').append(
      element('h1', {}, `Attention of ${model.name} on ${nPhotos} photos`),
      element('p', {}, `Made ${createdAt} by Framewright; model ${model.sha256.slice(0, 12)}, ${model.promptVersion}.`),
    );
    if (!isTrained) byId('head').append(element('p', {}, 'The model is untrained: what it attends to means nothing.'));
  }

  function fillSelect(select, options, onChange) {
    select.append(...options.map(([value, text]) => element('option', { value }, text)));
    select.addEventListener('change', onChange);
  }

  function drawTable() {
    const figure = byId('figure').value;
    byId('figure-note').textContent = `${FIGURE_NOTES[figure]} Brackets: 95 % intervals over the photos.`;
    const cellOf = (group, condition) =>
      table.find((cell) => cell.group === group && cell.condition === condition && cell.figure === figure);
    const values = table.filter((cell) => cell.figure === figure && cell.value !== null).map(({ value }) => value);
    const most = Math.max(...values);
    const rows = groups.map(({ id, label }) =>
      element(
        'tr',
        { 'data-group': id },
        element('th', { scope: 'row' }, label),
        ...conditions.map((condition) => {
          const { value, low, high } = cellOf(id, condition);
          const interval = low === null ? '' : ` [${digits(low)}, ${digits(high)}]`;
          const node = element('td', {}, digits(value), element('small', {}, interval));
          node.style.setProperty('--part', String((value ?? 0) / most));
          return node;
        }),
      ),
    );
    const headings = conditions.map((condition) => element('th', {}, CONDITION_LABELS[condition]));
    byId('table').replaceChildren(
      element('thead', {}, element('tr', {}, element('th', {}, 'attended'), ...headings)),
      element('tbody', {}, ...rows),
    );
  }

  function drawHeads() {
    const figure = byId('figure').value;
    const condition = byId('heads-condition').value;
    const layers = data.byHead[`${condition} ${figure} ${byId('group').value}`];
    const most = Math.max(...layers.flat().map((value) => value ?? 0));
    const drawing = svg('svg', { viewBox: `-2.2 -0.2 ${nHead + 2.4} ${nLayer + 1.2}`, role: 'img' });
    drawing.style.width = `min(100%, ${2 * (nHead + 2.4)}rem)`;
    drawing.setAttribute('aria-label', 'attention by layer, downwards, and head, across');
    layers.forEach((heads, layer) => {
      const name = svg('text', { x: -2, y: layer + 0.65 });
      name.textContent = `layer ${layer}`;
      drawing.append(name);
      heads.forEach((value, h) => {
        const rect = svg(
          'rect',
          {
            x: h,
            y: layer,
            width: 0.96,
            height: 0.96,
            fill: '#0072b2',
            'fill-opacity': most > 0 ? (value ?? 0) / most : 0,
          },
          `layer ${layer}, head ${h}: ${digits(value, 4)}`,
        );
        rect.setAttribute('stroke', '#8888');
        rect.setAttribute('stroke-width', '0.02');
        drawing.append(rect);
      });
    });
    byId('heads').replaceChildren(drawing);
    byId('heads-note').textContent = `${figure}; darkest ${digits(most, 4)}. Layers go down, heads across.`;
  }

  function cellsOf(photo) {
    const layers = photo.maps[byId('map-condition').value][Number(byId('map-image').value)];
    const layer = Number(byId('map-layer').value);
    if (layer >= 0) return layers[layer];
    return layers[0].map((_, cell) => layers.reduce((sum, cells) => sum + cells[cell], 0) / layers.length);
  }

  function drawPhotos() {
    const layer = Number(byId('map-layer').value);
    byId('map-note').textContent = layer < 0 ? 'mean of all layers' : `layer ${layer}`;
    const drawn = photos.map((photo) => {
      const [columns, rows] = photo.grid;
      const cells = cellsOf(photo);
      // From least to most, since what every square gets tells none apart.
      const [least, most] = [Math.min(...cells), Math.max(...cells)];
      const drawing = svg('svg', { viewBox: `0 0 ${columns} ${rows}`, preserveAspectRatio: 'none' });
      drawing.style.aspectRatio = `${photo.thumbnail.width} / ${photo.thumbnail.height}`;
      const picture = { href: photo.thumbnail.uri, width: columns, height: rows, preserveAspectRatio: 'none' };
      drawing.append(svg('image', picture));
      cells.forEach((value, i) => {
        const [x, y] = [i % columns, Math.floor(i / columns)];
        const node = svg(
          'rect',
          { class: photo.inside[i] ? 'cell inside' : 'cell', x, y, width: 1, height: 1 },
          `${(100 * value).toFixed(3)} % of the attention${photo.inside[i] ? ', on an element' : ''}`,
        );
        node.setAttribute('fill-opacity', String(most > least ? (0.85 * (value - least)) / (most - least) : 0));
        drawing.append(node);
      });
      return element('figure', {}, drawing, element('figcaption', {}, photo.path));
    });
    byId('photos').replaceChildren(...drawn);
  }

  const conditionOptions = conditions.map((condition) => [condition, CONDITION_LABELS[condition]]);
  head();
  fillSelect(
    byId('figure'),
    figures.map((figure) => [figure, figure]),
    () => {
      drawTable();
      drawHeads();
    },
  );
  fillSelect(
    byId('group'),
    groups.map(({ id, label }) => [id, label]),
    drawHeads,
  );
  fillSelect(byId('heads-condition'), conditionOptions, drawHeads);
  fillSelect(byId('map-condition'), conditionOptions, drawPhotos);
  fillSelect(
    byId('map-image'),
    [
      ['1', 'second image'],
      ['0', 'photo, as shown first'],
    ],
    drawPhotos,
  );
  byId('map-layer').max = String(nLayer - 1);
  byId('map-layer').addEventListener('input', drawPhotos);
  drawTable();
  drawHeads();
  drawPhotos();
})();
