// The page of an attention report: the table of figures, layers by heads, and maps over the photos.
/** @typedef {import('../../src/attention/report.js').AttentionReportData} PageData */

(() => {
  'use strict';

  /** @typedef {PageData['figures'][number]} FigureName */
  /** @typedef {PageData['conditions'][number]} Condition */
  /** @typedef {PageData['photos'][number]} Photo */

  const { data, byId, select, input, element, svg, fillSelect, number } = report;
  const { groups, conditions, figures, table, photos, nLayer, nHead } = data;

  /** @type {Readonly<Record<Condition, string>>} */
  const CONDITION_LABELS = { enhanced: 'with the elements drawn', plain: 'without' };
  /** @type {Readonly<Record<FigureName, string>>} */
  const FIGURE_NOTES = {
    share: 'Sum over the tokens, mean over the answer, layers and heads; the column sums to 1.',
    lift: 'Attention a token gets, over that of all tokens: 1 where every token gets the same.',
    normalised: 'Attention a token gets, over that of the element name or coordinate that gets most.',
  };
  // What the selects hold are these names.
  const figureChosen = () => /** @type {FigureName} */ (select('figure').value);
  const mapCondition = () => /** @type {Condition} */ (select('map-condition').value);

  function drawHead() {
    const { model, nPhotos, createdAt, isTrained } = data;
    byId('head').append(
      element('h1', {}, `Attention of ${model.name} on ${nPhotos} ${nPhotos === 1 ? 'photo' : 'photos'}`),
      element('p', {}, `Made ${createdAt} by Framewright; model ${model.sha256.slice(0, 12)}, ${model.promptVersion}.`),
    );
    if (!isTrained) byId('head').append(element('p', {}, 'The model is untrained: what it attends to means nothing.'));
  }

  function drawTable() {
    const figure = figureChosen();
    byId('figure-note').textContent = `${FIGURE_NOTES[figure]} Brackets: 95 % intervals over the photos.`;
    const cells = table.filter((cell) => cell.figure === figure);
    const most = Math.max(...cells.map(({ value }) => value).filter((value) => value !== null));
    const rows = groups.map(({ id, label }) =>
      element(
        'tr',
        { 'data-group': id },
        element('th', { scope: 'row' }, label),
        ...conditions.map((condition) => {
          const cell = cells.find((each) => each.group === id && each.condition === condition);
          const { value, low, high } = cell ?? { value: null, low: null, high: null };
          const interval = low === null ? '' : ` [${number(low, 3)}, ${number(high, 3)}]`;
          const node = element('td', {}, number(value, 3), element('small', {}, interval));
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
    const figure = figureChosen();
    const layers = data.byHead[`${select('heads-condition').value} ${figure} ${select('group').value}`];
    const most = Math.max(...layers.flat().map((value) => value ?? 0));
    const drawing = svg('svg', { viewBox: `-2.2 -0.2 ${nHead + 2.4} ${nLayer + 1.2}`, role: 'img' });
    drawing.style.width = `min(100%, ${2 * (nHead + 2.4)}rem)`;
    drawing.setAttribute('aria-label', 'attention by layer, downwards, and head, across');
    layers.forEach((heads, layer) => {
      const name = svg('text', { x: -2, y: layer + 0.65 });
      name.textContent = `layer ${layer}`;
      drawing.append(name);
      heads.forEach((value, h) => {
        const square = {
          x: h,
          y: layer,
          width: 0.96,
          height: 0.96,
          fill: '#0072b2',
          'fill-opacity': most > 0 ? (value ?? 0) / most : 0,
          stroke: '#8888',
          'stroke-width': '0.02',
        };
        drawing.append(svg('rect', square, `layer ${layer}, head ${h}: ${number(value, 4)}`));
      });
    });
    byId('heads').replaceChildren(drawing);
    byId('heads-note').textContent = `${figure}; darkest ${number(most, 4)}. Layers go down, heads across.`;
  }

  /**
   * Attention by square of the photo, of the layer chosen or the mean of all.
   * @param {Photo} photo
   */
  function cellsOf(photo) {
    const layers = photo.maps[mapCondition()][Number(select('map-image').value)];
    const layer = Number(input('map-layer').value);
    if (layer >= 0) return layers[layer];
    return layers[0].map((_, cell) => layers.reduce((sum, cells) => sum + cells[cell], 0) / layers.length);
  }

  /** @param {Photo} photo */
  function photoFigure(photo) {
    const [columns, rows] = photo.grid;
    const cells = cellsOf(photo);
    // From least to most, since what every square gets tells none apart.
    const [least, most] = [Math.min(...cells), Math.max(...cells)];
    const drawing = svg('svg', { viewBox: `0 0 ${columns} ${rows}`, preserveAspectRatio: 'none' });
    drawing.style.aspectRatio = `${photo.thumbnail.width} / ${photo.thumbnail.height}`;
    const picture = { href: photo.thumbnail.uri, width: columns, height: rows, preserveAspectRatio: 'none' };
    drawing.append(svg('image', picture));
    cells.forEach((value, i) => {
      const square = {
        class: photo.inside[i] ? 'cell inside' : 'cell',
        x: i % columns,
        y: Math.floor(i / columns),
        width: 1,
        height: 1,
        'fill-opacity': most > least ? (0.85 * (value - least)) / (most - least) : 0,
      };
      const title = `${(100 * value).toFixed(3)} % of the attention${photo.inside[i] ? ', on an element' : ''}`;
      drawing.append(svg('rect', square, title));
    });
    return element('figure', {}, drawing, element('figcaption', {}, photo.path));
  }

  function drawPhotos() {
    const layer = Number(input('map-layer').value);
    byId('map-note').textContent = layer < 0 ? 'mean of all layers' : `layer ${layer}`;
    byId('photos').replaceChildren(...photos.map(photoFigure));
  }

  const conditionOptions = conditions.map(
    (condition) => /** @type {const} */ ([condition, CONDITION_LABELS[condition]]),
  );
  drawHead();
  fillSelect(
    select('figure'),
    figures.map((figure) => [figure, figure]),
    () => {
      drawTable();
      drawHeads();
    },
  );
  fillSelect(
    select('group'),
    groups.map(({ id, label }) => [id, label]),
    drawHeads,
  );
  fillSelect(select('heads-condition'), conditionOptions, drawHeads);
  fillSelect(select('map-condition'), conditionOptions, drawPhotos);
  fillSelect(
    select('map-image'),
    [
      ['1', 'second image'],
      ['0', 'photo, as shown first'],
    ],
    drawPhotos,
  );
  input('map-layer').max = String(nLayer - 1);
  input('map-layer').addEventListener('input', drawPhotos);
  drawTable();
  drawHeads();
  drawPhotos();
})();
