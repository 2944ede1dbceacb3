// Which crop is picked of each photo and target, and the file the choices are saved in.
globalThis.report.picks = (() => {
  'use strict';

  const { data } = globalThis.report;
  const changed = new Map();
  const listeners = [];
  let isSaved = true;

  const pickedOf = (crop) => changed.get(crop) ?? crop.best;
  const isChanged = (crop) => changed.has(crop);

  function pick(crop, option) {
    if (option === pickedOf(crop)) return;
    if (option === crop.best) changed.delete(crop);
    else changed.set(crop, option);
    isSaved = false;
    for (const listener of listeners) listener(crop);
  }

  /** One choice a line, as `framewright crop --choices` reads them. */
  function lines(withUnchanged) {
    return data.photos.flatMap((photo) =>
      photo.crops
        .filter((crop) => withUnchanged || isChanged(crop))
        .map((crop) =>
          JSON.stringify({
            path: photo.path,
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
    nChanged: () => changed.size,
    onChange: (listener) => listeners.push(listener),
    markSaved: () => (isSaved = true),
  };
})();
