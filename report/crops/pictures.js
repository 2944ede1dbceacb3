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
  function rect([x1, y1, x2, y2], attributes) {
    return svg('rect', { x: x1, y: y1, width: x2 - x1, height: y2 - y1, ...attributes });
  }

  /**
   * @param {Photo} photo
   * @param {Box} box
   */
  function shade({ width, height }, [x1, y1, x2, y2]) {
    return svg('path', {
      class: 'shade',
      'fill-rule': 'evenodd',
      d: `M0 0H${width}V${height}H0ZM${x1} ${y1}V${y2}H${x2}V${y1}Z`,
    });
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
   * The whole photo, dark outside the crop picked.
   * @param {Photo} photo
   * @param {Photo['crops'][number]} crop One of its crops.
   * @param {number} picked Index into the crop's options.
   */
  function picture(photo, crop, picked) {
    const { width, height } = photo;
    const box = crop.options[picked].box;
    const root = svg('svg', { class: 'picture', viewBox: `0 0 ${width} ${height}`, role: 'img' });
    root.setAttribute('aria-label', photo.path);
    const url = urlOf(photo);
    if (url) root.append(svg('image', { href: url, width, height, preserveAspectRatio: 'none' }));
    else root.append(rect([0, 0, width, height], { class: 'no-picture' }));
    root.append(shade(photo, box), ...photo.elements.map((drawn) => drawnElement(drawn, photo)));
    crop.options.forEach((option, o) => {
      if (o !== picked) root.append(rect(option.box, { class: 'candidate', 'data-option': o }));
    });
    root.append(rect(box, { class: 'crop-casing' }), rect(box, { class: 'crop' }));
    return root;
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

  return { picture, preview };
})();
