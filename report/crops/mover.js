// The crop of the large view as a thing that is dragged, pulled by its edges and corners, and moved by the arrow keys.
const mover = (() => {
  'use strict';

  /** @typedef {PageData['photos'][number]} Photo */
  /** @typedef {Photo['crops'][number]} Crop */
  /** @typedef {Crop['options'][number]['box']} Box */
  /** @typedef {import('../crop-box.js').Handle} Handle */
  /** @typedef {{ readonly by: Handle | 'all', readonly pointerId: number, readonly from: DOMPoint, readonly start: Box }} Drag */

  const { svg } = report;
  /** @type {readonly Handle[]} Corners after the edges, so that they lie above them. */
  const HANDLES = ['n', 'e', 's', 'w', 'ne', 'se', 'sw', 'nw'];
  /** @type {Readonly<Record<string, readonly [dx: number, dy: number]>>} */
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const LARGE_STEP_PX = 10;
  /** For how long the thirds stay after a key: long enough that they do not blink between two presses. */
  const GUIDES_MS = 900;

  /** @param {Box} box */
  const inWords = ([x1, y1, x2, y2]) => `crop ${x2 - x1} × ${y2 - y1} px at (${x1}, ${y1})`;

  /**
   * Makes the crop of a picture movable.
   * @param {SVGSVGElement} root As `pictures.picture` made it.
   * @param {Photo} photo
   * @param {Crop} crop
   * @param {(box: Box) => void} onDrag Told of each place on the way; the last one is the crop's choice.
   */
  function attach(root, photo, crop, onDrag) {
    const aspect = cropBox.aspectOf(crop);
    const limits = { photo, ...(aspect && { aspect }) };
    const held = svg('rect', {
      class: 'held',
      tabindex: 0,
      role: 'application',
      'aria-roledescription': 'crop',
      'aria-description': 'Arrow keys move it by a pixel, with Shift by ten; with Alt they change its size.',
    });
    const guides = svg('path', { class: 'guides' });
    const grips = new Map(HANDLES.map((handle) => [handle, svg('path', { class: 'grip', 'data-handle': handle })]));
    const marks = svg('path', { class: 'marks' });
    root.setAttribute('role', 'group');
    root.querySelector('.shade')?.after(held);
    root.append(guides, marks, ...grips.values());
    /** @type {Drag | undefined} */
    let drag;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let hiding;
    let shown = picks.boxOf(crop);

    /** @param {Box} box */
    function show(box) {
      shown = box;
      const [x1, y1, x2, y2] = box;
      pictures.showCrop(root, photo, box, drag ? -1 : picks.optionOf(crop));
      pictures.place(held, box);
      held.setAttribute('aria-label', inWords(box));
      guides.setAttribute(
        'd',
        cropBox
          .thirdsOf(box)
          .map(([a, b, c, d]) => `M${a} ${b}L${c} ${d}`)
          .join(''),
      );
      const corners = { nw: [x1, y1], ne: [x2, y1], se: [x2, y2], sw: [x1, y2] };
      // Lines without length have the width of their stroke, which does not scale: points to hold on any photo.
      marks.setAttribute(
        'd',
        Object.values(corners)
          .map(([x, y]) => `M${x} ${y}h0`)
          .join(''),
      );
      /** @type {Readonly<Record<string, string>>} */
      const lines = {
        n: `M${x1} ${y1}H${x2}`,
        s: `M${x1} ${y2}H${x2}`,
        w: `M${x1} ${y1}V${y2}`,
        e: `M${x2} ${y1}V${y2}`,
        ...Object.fromEntries(Object.entries(corners).map(([name, [x, y]]) => [name, `M${x} ${y}h0`])),
      };
      for (const [handle, grip] of grips) grip.setAttribute('d', lines[handle]);
    }

    /** @param {PointerEvent} event */
    function pointOf(event) {
      return new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM()?.inverse());
    }

    /** @param {PointerEvent} event */
    function begin(event) {
      if (drag || event.button !== 0 || !(event.target instanceof SVGElement)) return;
      const from = pointOf(event);
      const [x1, y1, x2, y2] = shown;
      const isInside = from.x >= x1 && from.x < x2 && from.y >= y1 && from.y < y2;
      const by = /** @type {Handle | undefined} */ (event.target.dataset.handle) ?? (isInside ? 'all' : undefined);
      if (by === undefined) return;
      event.preventDefault();
      held.focus({ preventScroll: true });
      root.setPointerCapture(event.pointerId);
      drag = { by, pointerId: event.pointerId, from, start: shown };
      clearTimeout(hiding);
      root.classList.add('moving');
    }

    /** @param {PointerEvent} event */
    function follow(event) {
      if (drag?.pointerId !== event.pointerId) return;
      const { by, from, start } = drag;
      const to = pointOf(event);
      const [dx, dy] = [to.x - from.x, to.y - from.y];
      const box = by === 'all' ? cropBox.moved(start, dx, dy, limits) : cropBox.resized(start, by, dx, dy, limits);
      show(box);
      onDrag(box);
    }

    /** @param {Box} box Where the crop stays. */
    function end(box) {
      if (!drag) return;
      drag = undefined;
      root.classList.remove('moving');
      picks.move(crop, box);
      show(box);
      onDrag(box);
    }

    /** @param {KeyboardEvent} event */
    function press(event) {
      if (event.key === 'Escape' && drag) {
        end(drag.start);
        event.preventDefault();
        return;
      }
      const arrow = ARROWS[event.key];
      if (!arrow || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      if (drag) return;
      const [dx, dy] = arrow.map((by) => by * (event.shiftKey ? LARGE_STEP_PX : 1));
      const box = (event.altKey ? cropBox.grown : cropBox.moved)(shown, dx, dy, limits);
      root.classList.add('moving');
      clearTimeout(hiding);
      hiding = setTimeout(() => root.classList.remove('moving'), GUIDES_MS);
      picks.move(crop, box);
    }

    root.addEventListener('pointerdown', begin);
    root.addEventListener('pointermove', follow);
    root.addEventListener('pointerup', () => end(shown));
    root.addEventListener('pointercancel', () => drag && end(drag.start));
    held.addEventListener('keydown', press);
    show(shown);
    return { show };
  }

  return { attach, inWords };
})();
