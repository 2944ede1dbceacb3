// What was evaluated, and what is missing of it.
(() => {
  'use strict';

  const { data, byId, element } = report;
  const { dataset, bootstrap, methods: all } = data;

  /**
   * @param {string} title
   * @param {readonly string[]} lines
   */
  const list = (title, lines) =>
    lines.length === 0
      ? ''
      : element(
          'details',
          {},
          element('summary', {}, title),
          element('ul', {}, ...lines.map((line) => element('li', {}, line))),
        );

  const split = dataset.split === null ? '' : `, split ${dataset.split}`;
  byId('head').append(
    element('h1', {}, `${dataset.name}${split}: ${all.length} methods on ${dataset.nPhotos} photos`),
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
})();
