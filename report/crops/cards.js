// The cards of the gallery, one a photo: its crop, the candidates to pick from, and a button that opens it large.
const cards = (() => {
  'use strict';

  /** @typedef {PageData['photos'][number]} Photo */

  const { data, element } = report;
  /**
   * Target shown on a photo's card.
   * @type {Map<Photo, number>}
   */
  const targets = new Map();
  /** @type {Map<Photo, HTMLElement>} */
  const nodes = new Map();
  const photoOf = new Map(data.photos.flatMap((photo) => photo.crops.map((crop) => [crop, photo])));
  /** @type {() => readonly Photo[]} */
  let photosShown = () => [];

  /** @param {Photo} photo */
  function card(photo) {
    const t = targets.get(photo) ?? 0;
    const crop = photo.crops[t];
    const picked = picks.optionOf(crop);
    const { modelScore } = crop.options[crop.best];
    const slash = photo.path.search(/[^/\\]*$/);
    const tabs = photo.crops.map((other, i) =>
      element(
        'button',
        {
          type: 'button',
          'aria-pressed': String(i === t),
          onclick: () => {
            targets.set(photo, i);
            redraw(photo);
          },
        },
        detail.targetName(other),
      ),
    );
    const options = crop.options.map((option, o) =>
      element(
        'button',
        {
          type: 'button',
          class: 'small',
          title: option.why,
          'aria-label': option.modelScore === null ? 'the photo as it is' : `candidate ${o + 1}`,
          'aria-pressed': String(o === picked),
          onclick: () => picks.pick(crop, o),
        },
        pictures.preview(photo, option.box, { width: 4, height: 3 }),
      ),
    );
    return element(
      'article',
      { class: picks.isChanged(crop) ? 'card changed' : 'card' },
      element(
        'button',
        {
          type: 'button',
          class: 'open',
          'aria-label': `open ${photo.path}`,
          onclick: () => detail.open(photosShown(), photo, targets.get(photo)),
        },
        pictures.picture(photo, crop),
      ),
      element(
        'div',
        { class: 'caption' },
        element(
          'span',
          { class: 'name', title: photo.path },
          element('i', {}, photo.path.slice(0, slash)),
          photo.path.slice(slash),
        ),
        element(
          'span',
          { class: 'pill' },
          picks.isChanged(crop)
            ? 'my choice'
            : crop.isKept || modelScore === null
              ? 'kept'
              : crop.isScored
                ? detail.percent(modelScore)
                : 'cropped',
        ),
      ),
      photo.crops.length > 1 ? element('div', { class: 'tabs' }, ...tabs) : '',
      element('div', { class: 'strip' }, ...options),
    );
  }

  /** @param {Photo} photo */
  function redraw(photo) {
    const before = nodes.get(photo);
    if (!before) return;
    /** @param {HTMLElement} node */
    const buttons = (node) => [...node.querySelectorAll('button')];
    const focused = buttons(before).findIndex((button) => button === document.activeElement);
    const after = card(photo);
    before.replaceWith(after);
    nodes.set(photo, after);
    buttons(after)[focused]?.focus();
  }

  /**
   * @param {readonly Photo[]} photos
   * @param {() => readonly Photo[]} shown Photos the arrows go through where one is open.
   */
  function make(photos, shown) {
    photosShown = shown;
    nodes.clear();
    for (const photo of photos) nodes.set(photo, card(photo));
    return nodes.values();
  }

  picks.onChange((crop) => {
    const photo = photoOf.get(crop);
    if (photo) redraw(photo);
  });

  return { make };
})();
