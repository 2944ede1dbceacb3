// Pictures of the crop report: a photo with its composition and crop drawn on it, and previews of crops.
globalThis.report.pictures = (() => {
  'use strict';

  const { element, svg } = globalThis.report;
  const urls = new Map();

  /** One decoded picture serves every place that shows it; a data URI would be decoded for each. */
  function urlOf(photo) {
    if (photo.thumbnail && !urls.has(photo)) {
      const bytes = Uint8Array.from(atob(photo.thumbnail.split(',')[1]), (letter) => letter.charCodeAt(0));
      urls.set(photo, URL.createObjectURL(new Blob([bytes], { type: 'image/jpeg' })));
    }
    return urls.get(photo);
  }

  function rect([x1, y1, x2, y2], attributes) {
    return svg('rect', { x: x1, y: y1, width: x2 - x1, height: y2 - y1, ...attributes });
  }

  function shade({ width, height }, [x1, y1, x2, y2]) {
    return svg('path', {
      class: 'shade',
      'fill-rule': 'evenodd',
      d: `M0 0H${width}V${height}H0ZM${x1} ${y1}V${y2}H${x2}V${y1}Z`,
    });
  }

  /** The strokes are markup the command made of numbers; nothing from a file name or a model's words is in them. */
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
    group.append(svg('title', {}));
    group.lastChild.textContent = kind.replaceAll('_', ' ');
    return group;
  }

  /** The whole photo, dark outside the crop picked. `crop` is one of its crops, `picked` an index of its options. */
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

  /** What is inside a box, cut from the photo's own picture, as large as fits into these rem. */
  function preview(photo, [x1, y1, x2, y2], room) {
    const [width, height] = [x2 - x1, y2 - y1];
    const node = element('span', { class: 'preview' });
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
