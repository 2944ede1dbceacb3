// Figures: as text, by measure, and as differences between two methods.
const figures = (() => {
  'use strict';

  /** @typedef {PageData['methods'][number]['figures'][string]} Figure */

  const { data, number } = report;
  const { measures } = data;

  /**
   * @param {Figure} figure
   * @param {number} [digits]
   */
  const interval = ({ low, high }, digits = 4) =>
    low === null ? '' : `[${number(low, digits)}, ${number(high, digits)}]`;
  /** @param {Figure} figure */
  const exact = (figure) => `${number(figure.value, 4)} ${interval(figure)}`;

  /** @param {string} id */
  function measureOf(id) {
    const measure = measures.find((each) => each.id === id);
    if (!measure) throw new Error(`no measure ${id}`);
    return measure;
  }

  /**
   * Figure `id` of method `m` minus that of method `r`, on the same photos.
   * @param {number} m
   * @param {number} r
   * @param {string} id
   * @returns {Figure}
   */
  function differenceOf(m, r, id) {
    /**
     * @param {number} one
     * @param {number} other
     */
    const between = (one, other) =>
      data.paired.find(
        ({ method, reference }) => method === data.methods[one].name && reference === data.methods[other].name,
      )?.differences[id];
    const found = between(m, r);
    if (found) return found;
    const mirrored = between(r, m);
    if (!mirrored) throw new Error(`no difference of methods ${m} and ${r}`);
    /** @param {number | null} x */
    const minus = (x) => (x === null ? null : -x);
    return { value: minus(mirrored.value), low: minus(mirrored.high), high: minus(mirrored.low) };
  }

  const main = measures.filter(({ group }) => data.mainGroups.includes(group));
  const options = measures.map(
    ({ id, label, group }) =>
      /** @type {const} */ ([
        id,
        measures.filter((other) => other.label === label).length > 1 ? `${label}, ${group}` : label,
      ]),
  );

  return {
    /** Measures shown first; photos carry these only. */
    main,
    /** Of all measures, for a select. */
    options,
    photoOptions: options.filter(([id]) => main.some((measure) => measure.id === id)),
    interval,
    exact,
    measureOf,
    differenceOf,
  };
})();
