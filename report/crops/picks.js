// Which crop is chosen of each photo and target, and the file the choices are saved in.
const picks = (() => {
  'use strict';

  /** @typedef {PageData['photos'][number]} Photo */
  /** @typedef {Photo['crops'][number]} Crop */
  /** @typedef {Crop['options'][number]['box']} Box */

  const { data } = report;
  /**
   * The option chosen in place of the first one, or the box that a crop was moved to.
   * @type {Map<Crop, number | Box>}
   */
  const changed = new Map();
  /** @type {((crop: Crop) => void)[]} */
  const listeners = [];
  let isSaved = true;

  /**
   * Index into its options; -1 for a crop moved by hand.
   * @param {Crop} crop
   */
  function optionOf(crop) {
    const choice = changed.get(crop) ?? crop.best;
    return typeof choice === 'number' ? choice : -1;
  }

  /** @param {Crop} crop */
  function boxOf(crop) {
    const choice = changed.get(crop) ?? crop.best;
    return typeof choice === 'number' ? crop.options[choice].box : choice;
  }

  /** @param {Crop} crop */
  const isChanged = (crop) => changed.has(crop);

  /**
   * @param {Crop} crop
   * @param {number} option Index into its options.
   */
  function pick(crop, option) {
    if (option === optionOf(crop)) return;
    set(crop, option);
    changedNow([crop]);
  }

  /**
   * @param {Crop} crop
   * @param {Box} box
   */
  function move(crop, box) {
    const option = crop.options.findIndex((offered) => isSame(offered.box, box));
    if (option >= 0) pick(crop, option);
    else if (!isSame(boxOf(crop), box)) {
      set(crop, box);
      changedNow([crop]);
    }
  }

  /** @param {Crop} crop */
  const reset = (crop) => pick(crop, crop.best);

  function forget() {
    const crops = [...changed.keys()];
    changed.clear();
    changedNow(crops);
  }

  /**
   * @param {Crop} crop
   * @param {number | Box} choice
   */
  function set(crop, choice) {
    if (choice === crop.best) changed.delete(crop);
    else changed.set(crop, choice);
  }

  /** @param {readonly Crop[]} crops */
  function changedNow(crops) {
    isSaved = memory.write(kept());
    for (const crop of crops) for (const listener of listeners) listener(crop);
  }

  /**
   * @param {Box} a
   * @param {Box} b
   */
  function isSame(a, b) {
    return a.every((edge, i) => edge === b[i]);
  }

  /**
   * @param {Photo} photo
   * @param {Crop} crop
   */
  const nameOf = (photo, { aspect, size }) => JSON.stringify([photo.path, size ?? aspect ?? 'free']);

  function kept() {
    return Object.fromEntries(
      data.photos.flatMap((photo) =>
        photo.crops.filter(isChanged).map((crop) => [nameOf(photo, crop), changed.get(crop)]),
      ),
    );
  }

  /** What does not fit the photos (another program may have written it) is let go. */
  function recall() {
    const choices = memory.read();
    if (typeof choices !== 'object' || choices === null) return;
    const byName = new Map(Object.entries(choices));
    for (const photo of data.photos) {
      for (const crop of photo.crops) {
        const choice = byName.get(nameOf(photo, crop));
        if (typeof choice === 'number' ? crop.options[choice] : isBoxOf(photo, choice)) set(crop, choice);
      }
    }
  }

  /**
   * @param {Photo} photo
   * @param {unknown} value
   */
  function isBoxOf({ width, height }, value) {
    if (!Array.isArray(value) || value.length !== 4 || !value.every(Number.isInteger)) return false;
    const [x1, y1, x2, y2] = value;
    return 0 <= x1 && x1 < x2 && x2 <= width && 0 <= y1 && y1 < y2 && y2 <= height;
  }

  /**
   * One choice a line, as `framewright crop --choices` reads them.
   * @param {boolean} withUnchanged
   */
  function lines(withUnchanged) {
    return data.photos.flatMap((photo) =>
      photo.crops
        .filter((crop) => withUnchanged || isChanged(crop))
        .map((crop) => JSON.stringify(choiceOf(photo, crop))),
    );
  }

  /**
   * @param {Photo} photo
   * @param {Crop} crop
   */
  function choiceOf(photo, crop) {
    const others = crop.options.filter((_, o) => o !== crop.best);
    return {
      path: photo.path,
      folder: data.folder,
      aspect: crop.aspect,
      size: crop.size,
      fit: crop.fit,
      background: crop.background,
      enlarge: crop.enlarge,
      box: boxOf(crop),
      photo: { widthPx: photo.width, heightPx: photo.height },
      by: !isChanged(crop) ? 'kept' : optionOf(crop) < 0 ? 'moved' : 'picked',
      offered: [crop.options[crop.best], ...others].map(({ box }) => box),
      origin: 'report',
    };
  }

  window.addEventListener('beforeunload', (event) => {
    if (changed.size > 0 && !isSaved) event.preventDefault();
  });

  recall();

  return {
    pick,
    move,
    reset,
    forget,
    optionOf,
    boxOf,
    isChanged,
    nChanged: () => changed.size,
    lines,
    /** @param {(crop: Crop) => void} listener */
    onChange: (listener) => void listeners.push(listener),
    markSaved: () => void (isSaved = true),
  };
})();
