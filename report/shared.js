// What the scripts of every report use; the data lie in the page beside them. Each page says what `PageData` are.
const report = (() => {
  'use strict';

  /** @typedef {string | number | boolean | undefined | ((event: Event) => void)} Attribute */

  /** @type {PageData} */
  const data = JSON.parse(byId('data').textContent);

  /**
   * @template {HTMLElement} [T=HTMLElement]
   * @param {string} id
   * @param {{ new (): T, readonly name: string }} [kind] What the element is, where more than any element's is used of it.
   * @returns {T}
   */
  function byId(id, kind) {
    const node = document.getElementById(id);
    if (!(node instanceof (kind ?? HTMLElement))) throw new Error(`the page has no ${kind?.name ?? 'element'} #${id}`);
    return /** @type {T} */ (node);
  }

  /** @param {string} id */
  const select = (id) => byId(id, HTMLSelectElement);
  /** @param {string} id */
  const input = (id) => byId(id, HTMLInputElement);

  /**
   * Children that are text become text, whatever they contain: names of files and words of a model are not trusted.
   * @template {keyof HTMLElementTagNameMap} K
   * @param {K} tag
   * @param {Readonly<Record<string, Attribute>>} [attributes] Functions listen: `onclick` to clicks.
   * @param {...(Node | string)} children
   */
  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === 'function') node.addEventListener(name.slice('on'.length), value);
      else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : String(value));
    }
    node.append(...children);
    return node;
  }

  const SVG = 'http://www.w3.org/2000/svg';
  /**
   * @template {keyof SVGElementTagNameMap} K
   * @param {K} tag
   * @param {Readonly<Record<string, string | number>>} [attributes]
   * @param {string} [title]
   */
  function svg(tag, attributes = {}, title = '') {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
    if (title) {
      const text = document.createElementNS(SVG, 'title');
      text.textContent = title;
      node.append(text);
    }
    return node;
  }

  /**
   * @param {HTMLSelectElement} node
   * @param {readonly (readonly [value: string, text: string])[]} options
   * @param {() => void} onChange
   */
  function fillSelect(node, options, onChange) {
    node.append(...options.map(([value, text]) => element('option', { value }, text)));
    node.addEventListener('change', onChange);
  }

  /**
   * @param {number | null} value
   * @param {number} digits Behind the point.
   */
  const number = (value, digits) => (value === null ? 'n/a' : value.toFixed(digits));

  return { data, byId, select, input, element, svg, fillSelect, number };
})();
