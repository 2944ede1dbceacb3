// Pictures of the crop report: a photo with its composition and crop drawn on it, and previews of crops.
const pictures = (() => {
  'use strict';

  /** @typedef {PageData['photos'][number]} Photo */
  /** @typedef {Photo['crops'][number]['options'][number]['box']} Box */

  const { element, svg } = report;
  /** @type {Map<Photo, string>} */
  const urls = new Map();

  /**
   * One decoded picture serves every place that shows it; a data URI would be decoded for each.
   * @param {Photo} photo
   */
  function urlOf(photo) {
    if (photo.thumbnail && !urls.has(photo)) {
      const bytes = Uint8Array.from(atob(photo.thumbnail.split(',')[1]), (letter) => letter.charCodeAt(0));
      urls.set(photo, URL.createObjectURL(new Blob([bytes], { type: 'image/jpeg' })));
    }
    return urls.get(photo);
  }

  /**
   * @param {Box} box
   * @param {Readonly<Record<string, string | number>>} attributes
   */
  function rect(box, attributes) {
    const node = svg('rect', attributes);
    place(node, box);
    return node;
  }

  /**
   * The strokes are markup the command made of numbers; nothing from a file name or a model's words is in them.
   * @param {Photo['elements'][number]} drawn
   * @param {Photo} photo
   */
  function drawnElement({ kind, guides, strokes }, { width, drawing }) {
    const group = svg('g', {
      class: 'element',
      'data-kind': kind,
      transform: `scale(${width / drawing.width})`,
    });
    const parsed = new DOMParser().parseFromString(
      `<svg xmlns="http://www.w3.org/2000/svg">${guides}${strokes}</svg>`,
      'image/svg+xml',
    );
    group.append(...parsed.documentElement.childNodes);
    const title = svg('title');
    title.textContent = kind.replaceAll('_', ' ');
    group.append(title);
    return group;
  }

  /**
   * The whole photo, dark outside the crop chosen.
   * @param {Photo} photo
   * @param {Photo['crops'][number]} crop One of its crops.
   */
  function picture(photo, crop) {
    const { width, height } = photo;
    const root = svg('svg', { class: 'picture', viewBox: `0 0 ${width} ${height}`, role: 'img' });
    root.setAttribute('aria-label', photo.path);
    const url = urlOf(photo);
    if (url) root.append(svg('image', { href: url, width, height, preserveAspectRatio: 'none' }));
    else root.append(rect([0, 0, width, height], { class: 'no-picture' }));
    root.append(svg('path', { class: 'shade', 'fill-rule': 'evenodd' }));
    root.append(...photo.elements.map((drawn) => drawnElement(drawn, photo)));
    root.append(...crop.options.map((option, o) => rect(option.box, { class: 'candidate', 'data-option': o })));
    root.append(svg('rect', { class: 'crop-casing' }), svg('rect', { class: 'crop' }));
    showCrop(root, photo, picks.boxOf(crop), picks.optionOf(crop));
    return root;
  }

  /**
   * Draws the crop of a picture at a box.
   * @param {SVGSVGElement} root As `picture` made it.
   * @param {Photo} photo
   * @param {Box} box
   * @param {number} option Index of the option it is, which needs no dashes of its own; -1 for none.
   */
  function showCrop(root, photo, box, option) {
    const [x1, y1, x2, y2] = box;
    const inside = `M${x1} ${y1}V${y2}H${x2}V${y1}Z`;
    root.querySelector('.shade')?.setAttribute('d', `M0 0H${photo.width}V${photo.height}H0Z${inside}`);
    for (const node of root.querySelectorAll('.crop, .crop-casing')) place(node, box);
    for (const node of /** @type {NodeListOf<SVGRectElement>} */ (root.querySelectorAll('.candidate'))) {
      node.classList.toggle('picked', node.dataset.option === String(option));
    }
  }

  /**
   * @param {Element} node A rectangle.
   * @param {Box} box
   */
  function place(node, [x1, y1, x2, y2]) {
    const attributes = { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  }

  /**
   * What is inside a box, cut from the photo's own picture.
   * @param {Photo} photo
   * @param {Box} box
   * @param {{ readonly width: number, readonly height: number }} room What it is to fit into, in rem.
   */
  function preview(photo, [x1, y1, x2, y2], room) {
    const [width, height] = [x2 - x1, y2 - y1];
    const node = element('span', { class: 'preview' });
    /**
     * @param {number} offset
     * @param {number} most
     */
    const share = (offset, most) => (most > 0 ? (100 * offset) / most : 0);
    const scale = Math.min(room.width / width, room.height / height);
    node.style.width = `${Math.max(0.3, width * scale)}rem`;
    node.style.height = `${Math.max(0.3, height * scale)}rem`;
    const url = urlOf(photo);
    if (url) node.style.backgroundImage = `url(${url})`;
    node.style.backgroundSize = `${(100 * photo.width) / width}% ${(100 * photo.height) / height}%`;
    node.style.backgroundPosition = `${share(x1, photo.width - width)}% ${share(y1, photo.height - height)}%`;
    return node;
  }

  return { picture, showCrop, place, preview };
})();
