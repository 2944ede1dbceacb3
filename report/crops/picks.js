// Which crop is picked of each photo and target, and the file the choices are saved in.
const picks = (() => {
  'use strict';

  /** @typedef {PageData['photos'][number]['crops'][number]} Crop */

  const { data } = report;
  /** @type {Map<Crop, number>} */
  const changed = new Map();
  /** @type {((crop: Crop) => void)[]} */
  const listeners = [];
  let isSaved = true;

  /** @param {Crop} crop */
  const pickedOf = (crop) => changed.get(crop) ?? crop.best;
  /** @param {Crop} crop */
  const isChanged = (crop) => changed.has(crop);

  /**
   * @param {Crop} crop
   * @param {number} option Index into its options.
   */
  function pick(crop, option) {
    if (option === pickedOf(crop)) return;
    if (option === crop.best) changed.delete(crop);
    else changed.set(crop, option);
    isSaved = false;
    for (const listener of listeners) listener(crop);
  }

  /**
   * One choice a line, as `framewright crop --choices` reads them.
   * @param {boolean} withUnchanged
   */
  function lines(withUnchanged) {
    return data.photos.flatMap((photo) =>
      photo.crops
        .filter((crop) => withUnchanged || isChanged(crop))
        .map((crop) =>
          JSON.stringify({
            path: photo.path,
            folder: data.folder,
            aspect: crop.aspect,
            size: crop.size,
            box: crop.options[pickedOf(crop)].box,
            photo: { widthPx: photo.width, heightPx: photo.height },
          }),
        ),
    );
  }

  window.addEventListener('beforeunload', (event) => {
    if (changed.size > 0 && !isSaved) event.preventDefault();
  });

  return {
    pick,
    pickedOf,
    isChanged,
    lines,
    /** @param {(crop: Crop) => void} listener */
    onChange: (listener) => void listeners.push(listener),
    markSaved: () => void (isSaved = true),
  };
})();
