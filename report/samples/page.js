// Samples of training data: what the model is shown, what it is to say, which crop of a pair it is to prefer.
/** @typedef {import('../../src/train/export/samples-page.js').SamplesData} PageData */
(() => {
  'use strict';

  /** @typedef {PageData['samples'][number]} Sample */
  /** @typedef {Sample['pairs'][number]['chosen']} Box */

  const { data, byId, select, input, element, svg, fillSelect } = report;
  const { facts, samples } = data;
  /** A picture is this many letters wide, whatever its frame. */
  const LETTERS_ACROSS = 16;

  /**
   * @param {Sample} sample
   * @param {readonly { readonly box: Box, readonly kind: string, readonly label: string }[]} boxes
   * @param {string} caption
   */
  function picture({ image, enhanced, frame, space }, boxes, caption) {
    const { width, height } = frame;
    const [across, down] = [width / space.width, height / space.height];
    const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}` });
    drawing.append(svg('image', { href: (input('drawn').checked && enhanced) || image, width, height }));
    for (const { box, kind, label } of boxes) {
      const [x1, y1, x2, y2] = [box[0] * across, box[1] * down, box[2] * across, box[3] * down];
      const place = { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
      drawing.append(
        svg('rect', { ...place, class: 'casing' }),
        svg('rect', { ...place, class: `box ${kind}` }, label),
      );
      const size = width / LETTERS_ACROSS;
      const text = svg('text', { x: x1 + size / 3, y: y1 + 1.1 * size, class: 'number', 'stroke-width': size / 5 });
      text.style.fontSize = `${size}px`;
      text.textContent = label;
      drawing.append(text);
    }
    return element('figure', {}, drawing, element('figcaption', {}, caption));
  }

  /** @param {Sample} sample */
  function pictures(sample) {
    const { candidates, best, pairs } = sample;
    const listed = candidates.map((box, i) => ({ box, kind: i === best ? 'best' : '', label: String(i + 1) }));
    listed.sort((a, b) => Number(a.kind === 'best') - Number(b.kind === 'best')); // the best above the others
    const shown = [
      picture(sample, listed, candidates.length > 0 ? 'proposed, the best in green' : 'the analysis alone'),
    ];
    if (!input('pairs').checked) return shown;
    return [
      ...shown,
      ...pairs.map(({ kind, chosen, rejected }) =>
        picture(
          sample,
          [
            { box: rejected, kind: 'rejected', label: 'rejected' },
            { box: chosen, kind: 'chosen', label: 'chosen' },
          ],
          `pair: ${kind}`,
        ),
      ),
    ];
  }

  /** @param {Sample} sample */
  function article(sample) {
    const { id, split, frame, turns } = sample;
    const said = turns.map(({ from, value }) => element('p', { class: from }, value.trimEnd()));
    const title = `${id} (${split === 'train' ? 'to train on' : 'held out'}, ${frame.width}x${frame.height} px)`;
    return element(
      'article',
      {},
      element('div', {}, element('h2', {}, title), element('div', { class: 'pictures' }, ...pictures(sample))),
      element('div', { class: 'turns' }, ...said),
    );
  }

  function show() {
    const split = select('split').value;
    byId('samples').replaceChildren(...samples.filter((sample) => split === '' || sample.split === split).map(article));
  }

  byId('head').append(
    element('h1', {}, `Training data: ${facts.source}`),
    element('p', {}, `${samples.length} photos of it, as the model is to see and answer them.`),
  );
  byId('summary').textContent = data.summary;
  fillSelect(
    select('split'),
    [
      ['', 'all samples'],
      ['train', 'those to train on'],
      ['heldout', 'those held out'],
    ],
    show,
  );
  for (const id of ['drawn', 'pairs']) input(id).addEventListener('change', show);
  show();
})();
