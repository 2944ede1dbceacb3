// The photos with every box drawn, sorted by how well one method did.
(() => {
  'use strict';

  /** @typedef {PageData['photos'][number]} Photo */
  /** @typedef {Photo['labels'][number]} Shape */

  const { data, byId, select, element, svg, fillSelect, number } = report;
  const { photos } = data;
  const PAGE = 48;
  let nShown = PAGE;

  /**
   * @param {Shape} shape
   * @param {string} className
   * @param {string} [title]
   */
  function shapeNode({ points, isClosed, isLoser }, className, title) {
    const corners = points.map((point) => point.join(',')).join(' ');
    const node = svg(isClosed ? 'polygon' : 'polyline', { class: className, points: corners }, title);
    if (isLoser) node.classList.add('loser');
    return node;
  }

  /**
   * @param {Photo} photo
   * @param {string} measureId
   */
  function photoFigure(photo, measureId) {
    const [width, height] = photo.size;
    // Label space need not have the photo's shape (CADB's is square), so it is stretched over the thumbnail.
    const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none' });
    drawing.style.aspectRatio = String(photo.aspect);
    if (photo.thumbnail)
      drawing.append(svg('image', { href: photo.thumbnail, width, height, preserveAspectRatio: 'none' }));
    for (const shape of photo.labels) drawing.append(shapeNode(shape, 'label', shape.title));
    const caption = element('figcaption', {}, element('div', {}, photo.id));
    photo.methods.forEach(({ shapes, scores, unusable }, m) => {
      if (methods.isHidden(m)) return;
      const { name } = data.methods[m];
      for (const shape of shapes) {
        const node = shapeNode(shape, 'prediction', `${name}${shape.title ? `: ${shape.title}` : ''}`);
        node.style.stroke = methods.colourOf(m);
        drawing.append(node);
      }
      const score = element('span', { title: unusable ?? name }, unusable ? 'unusable' : number(scores[measureId], 3));
      score.style.setProperty('--colour', methods.colourOf(m));
      caption.append(score);
    });
    const figure = element(
      'figure',
      { class: 'photo', onclick: () => figure.classList.toggle('large') },
      drawing,
      caption,
    );
    return figure;
  }

  function draw() {
    const measure = figures.measureOf(select('gallery-measure').value);
    const m = Number(select('gallery-method').value);
    const isWorstFirst = select('gallery-order').value === 'worst';
    const direction = (measure.better === 'higher') === isWorstFirst ? 1 : -1;
    const sorted = photos.slice().sort((a, b) => {
      const [x, y] = [a, b].map((photo) => photo.methods[m].scores[measure.id]);
      if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
      return direction * (x - y);
    });
    byId('gallery').replaceChildren(...sorted.slice(0, nShown).map((photo) => photoFigure(photo, measure.id)));
    byId('gallery-more').hidden = nShown >= photos.length;
    const nThumbnails = photos.filter(({ thumbnail }) => thumbnail).length;
    byId('gallery-note').textContent =
      `${Math.min(nShown, photos.length)} of ${photos.length} photos; white: labels, coloured: methods; click to enlarge.` +
      (nThumbnails < photos.length ? ` ${nThumbnails} of them come with their picture.` : '');
  }

  const drawFromStart = () => {
    nShown = PAGE;
    draw();
  };
  fillSelect(select('gallery-measure'), figures.photoOptions, drawFromStart);
  fillSelect(select('gallery-method'), methods.options, drawFromStart);
  select('gallery-method').value = String(data.methods.length - 1);
  byId('gallery-order').addEventListener('change', drawFromStart);
  byId('gallery-more').addEventListener('click', () => {
    nShown += PAGE;
    draw();
  });
  methods.onToggle(draw);
  draw();
})();
