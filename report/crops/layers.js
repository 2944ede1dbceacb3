// What is drawn on every picture: kinds of composition elements, other candidates, the dark outside the crop.
/** @typedef {import('../../src/report/crop-report-data.js').CropReportData} PageData */

const layers = (() => {
  'use strict';

  /** @typedef {{ readonly selector: string, readonly text: string, readonly colour?: string }} Layer */

  const { data, byId, element } = report;
  /** @type {Set<string>} */
  const hidden = new Set();
  /** @type {{ button: HTMLButtonElement, selector: string }[]} */
  const buttons = [];
  const style = document.head.appendChild(document.createElement('style'));

  const kinds = data.kinds.map(({ name, colour }) => ({
    selector: `[data-kind="${name}"]`,
    name,
    text: name.replaceAll('_', ' '),
    colour,
  }));
  const others = [
    { selector: '.shade', text: 'darken outside' },
    { selector: '.candidate:not(.lit)', text: 'other candidates' },
  ];

  function apply() {
    style.textContent = hidden.size > 0 ? `${[...hidden].join(',')}{display:none}` : '';
    for (const { button, selector } of buttons) button.setAttribute('aria-pressed', String(!hidden.has(selector)));
  }

  /** @param {string} selector */
  function toggle(selector) {
    if (!hidden.delete(selector)) hidden.add(selector);
    apply();
  }

  /**
   * A button that shows and hides a layer everywhere, in step with every other one of that layer.
   * @param {Layer} layer
   */
  function layerButton({ selector, text, colour }) {
    const attributes = { type: 'button', class: 'layer', 'aria-pressed': String(!hidden.has(selector)) };
    const button = element('button', { ...attributes, onclick: () => toggle(selector) }, text);
    if (colour) button.style.setProperty('--colour', colour);
    buttons.push({ button, selector });
    return button;
  }

  /**
   * Of the kinds named. Buttons that left the page are let go.
   * @param {ReadonlySet<string>} names
   */
  function kindButtons(names) {
    buttons.splice(0, buttons.length, ...buttons.filter(({ button }) => button.isConnected));
    return kinds.filter(({ name }) => names.has(name)).map(layerButton);
  }

  hidden.add('.candidate:not(.lit)');
  byId('layers').append(...[...others, ...kinds].map(layerButton));
  apply();

  return { kinds, kindButtons };
})();
