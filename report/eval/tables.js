// The tables: figures of every method, the best of each column marked.
(() => {
  'use strict';

  /** @typedef {PageData['measures'][number]} Measure */

  const { data, byId, element, number } = report;

  /**
   * @param {string} target
   * @param {readonly Measure[]} shown
   */
  function fill(target, shown) {
    const best = shown.map(({ id, better }) => {
      const values = data.methods.map((method) => method.figures[id].value).filter((value) => value !== null);
      return better === 'higher' ? Math.max(...values) : Math.min(...values);
    });
    const headings = shown.map(({ label, better, group }) =>
      element('th', { title: `${group}; ${better} is better` }, `${label} ${better === 'higher' ? '↑' : '↓'}`),
    );
    const rows = data.methods.map((method, m) =>
      element(
        'tr',
        { 'data-method': m },
        element('th', { scope: 'row', title: method.key }, method.name),
        ...shown.map(({ id }, i) =>
          element(
            'td',
            { class: method.figures[id].value === best[i] ? 'best' : undefined },
            number(method.figures[id].value, 3),
            ' ',
            element('small', {}, figures.interval(method.figures[id], 3)),
          ),
        ),
        element('td', {}, String(method.nUnusable)),
        element('td', {}, `${method.medianMs.toFixed(0)} ms`),
      ),
    );
    byId(target).append(
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

  fill('figures', figures.main);
  if (figures.main.length < data.measures.length) fill('all-figures', data.measures);
  else byId('more-figures').hidden = true;

  methods.onToggle((m) => {
    for (const row of document.querySelectorAll(`tr[data-method="${m}"]`)) {
      row.classList.toggle('off', methods.isHidden(m));
    }
  });
})();
