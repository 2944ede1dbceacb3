// What the scripts of every report use; the data lie in the page beside them.
globalThis.report = (() => {
  'use strict';

  const data = JSON.parse(document.getElementById('data').textContent);
  const byId = (id) => document.getElementById(id);

  /** Children that are text become text, whatever they contain: names of files and words of a model are not trusted. */
  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
      else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
    }
    node.append(...children);
    return node;
  }

  const SVG = 'http://www.w3.org/2000/svg';
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

  return { data, byId, element, svg };
})();
