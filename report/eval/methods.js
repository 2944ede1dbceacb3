// The methods of the evaluation: their colours, and which of them are shown.
/** @typedef {import('../../src/eval/report-data.js').ReportData} PageData */

const methods = (() => {
  'use strict';

  const { data, byId, element } = report;
  // Okabe and Ito's colours, told apart by colour-blind readers too, then a second darker round.
  const PALETTE = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9', '#8f7d00', '#7a5195', '#5c636b'];
  /** @type {Set<number>} */
  const hidden = new Set();
  /** @type {((m: number) => void)[]} */
  const listeners = [];

  /** @param {number} m */
  const colourOf = (m) => PALETTE[m % PALETTE.length];
  /** @param {number} m */
  const isHidden = (m) => hidden.has(m);

  /**
   * Shows or hides a method everywhere.
   * @param {number} m
   */
  function toggle(m) {
    if (!hidden.delete(m)) hidden.add(m);
    byId('methods').children[m].setAttribute('aria-pressed', String(!hidden.has(m)));
    for (const listener of listeners) listener(m);
  }

  byId('methods').append(
    ...data.methods.map((method, m) => {
      const button = element(
        'button',
        { type: 'button', 'aria-pressed': 'true', title: method.key, onclick: () => toggle(m) },
        method.name,
      );
      button.style.setProperty('--colour', colourOf(m));
      return button;
    }),
  );

  return {
    all: data.methods,
    colourOf,
    isHidden,
    toggle,
    /** @param {(m: number) => void} listener Called once a method was shown or hidden. */
    onToggle: (listener) => void listeners.push(listener),
    /** For a select. */
    options: data.methods.map(({ name }, m) => /** @type {const} */ ([String(m), name])),
  };
})();
