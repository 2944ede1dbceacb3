// The gallery of a crop report: its heading, filters, sort, and saving the choices.
(() => {
  'use strict';

  /** @typedef {PageData['photos'][number]} Photo */

  const { data, byId, select, input, element } = report;
  const { photos, failures, refused } = data;
  const PAGE = 60;
  const UNSURE_BELOW = 0.5;
  let nShown = PAGE;

  /** @param {Photo} photo */
  const sureness = (photo) =>
    Math.min(...photo.crops.map((crop) => Math.max(...crop.options.map((o) => o.modelScore ?? 0))));
  /** @param {Photo} photo */
  const timeOf = (photo) =>
    Math.max(...photo.crops.map(({ timingsMs }) => Object.values(timingsMs).reduce((sum, ms) => sum + ms, 0)));
  /** @param {Photo} photo */
  const shareOf = (photo) =>
    Math.min(
      ...photo.crops.map((crop) => {
        const [x1, y1, x2, y2] = picks.boxOf(crop);
        return ((x2 - x1) * (y2 - y1)) / (photo.width * photo.height);
      }),
    );
  /**
   * @param {number} n
   * @param {string} one
   */
  const count = (n, one) => `${n} ${one}${n === 1 ? '' : 's'}`;

  function head() {
    const nCrops = photos.reduce((sum, { crops }) => sum + crops.length, 0);
    const nKept = photos.filter(({ crops }) => crops.some(({ isKept }) => isKept)).length;
    const times = photos.map(timeOf).sort((a, b) => a - b);
    const facts = [
      nCrops === photos.length ? [] : count(nCrops, 'crop'),
      nKept === 0 ? [] : `${nKept} kept as ${nKept === 1 ? 'it is' : 'they are'}`,
      data.model === null ? `engine ${data.engine}` : `model ${data.model}`,
      times.length === 0 ? [] : `${detail.milliseconds(times[times.length >> 1])} a photo`,
      new Date(data.createdAt).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }),
    ].flat();
    const done = photos.length + failures.length;
    const title =
      data.nPlanned > done ? `${photos.length} of ${count(data.nPlanned, 'photo')}` : count(photos.length, 'photo');
    byId('head').append(
      element('h1', {}, `${title}${data.isDryRun ? ', nothing written yet' : ', cropped'}`),
      element('p', {}, facts.join(' · ')),
      element(
        'p',
        { class: 'hint' },
        'Click a photo to see it large and to move its crop, a small picture to pick that crop.',
      ),
    );
    tellErrors(`${count(failures.length, 'photo')} failed`, failures);
    tellErrors(`${count(refused.length, 'crop')} of a shape that a photo has no room for`, refused);
  }

  /**
   * @param {string} summary
   * @param {typeof failures} errors
   */
  function tellErrors(summary, errors) {
    if (errors.length === 0) return;
    byId('head').append(
      element(
        'details',
        { class: 'failures' },
        element('summary', {}, summary),
        element('ul', {}, ...errors.map(({ message, code }) => element('li', {}, `${message} [${code}]`))),
      ),
    );
  }

  /** @type {Readonly<Record<string, (photo: Photo) => boolean>>} */
  const FILTERS = {
    all: () => true,
    changed: ({ crops }) => crops.some(picks.isChanged),
    unsure: (photo) => sureness(photo) < UNSURE_BELOW,
    kept: ({ crops }) => crops.some(({ isKept }) => isKept),
  };
  /** @type {Readonly<Record<string, (photo: Photo) => number>>} */
  const SORT_KEYS = { unsure: sureness, tight: shareOf, slow: (photo) => -timeOf(photo) };

  function shown() {
    const words = input('search').value.toLowerCase();
    const kind = select('kind').value;
    const isShown = FILTERS[select('show').value];
    const found = photos.filter(
      (photo) =>
        photo.path.toLowerCase().includes(words) &&
        isShown(photo) &&
        (kind === '' || photo.elements.some((drawn) => drawn.kind === kind)),
    );
    const sort = select('sort').value;
    const key = SORT_KEYS[sort];
    if (sort === 'name') found.sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }));
    else if (key) found.sort((a, b) => key(a) - key(b));
    return found;
  }

  function draw() {
    const found = shown();
    byId('gallery').replaceChildren(...cards.make(found.slice(0, nShown), shown));
    byId('more').hidden = nShown >= found.length;
    const nPictures = photos.filter(({ thumbnail }) => thumbnail).length;
    byId('note').textContent = [
      found.length === 0
        ? 'No photo fits these filters.'
        : `${Math.min(nShown, found.length)} of ${count(found.length, 'photo')}.`,
      nPictures < photos.length ? `The first ${nPictures} come with their picture.` : '',
    ].join(' ');
  }

  function drawSave() {
    const n = picks.lines(input('save-all').checked).length;
    const button = byId('save', HTMLButtonElement);
    button.disabled = n === 0;
    button.textContent = n === 0 ? 'Save choices' : `Save ${count(n, 'choice')}`;
    byId('forget').hidden = picks.nChanged() === 0;
  }

  function forget() {
    if (confirm(`Forget ${count(picks.nChanged(), 'choice')} and take the crops as they were?`)) picks.forget();
  }

  function save() {
    const text = picks
      .lines(input('save-all').checked)
      .map((line) => `${line}\n`)
      .join('');
    const url = URL.createObjectURL(new Blob([text], { type: 'application/jsonl' }));
    element('a', { href: url, download: 'choices.jsonl' }).click();
    URL.revokeObjectURL(url);
    picks.markSaved();
  }

  head();
  byId('kind').append(...layers.kinds.map(({ name, text }) => element('option', { value: name }, text)));
  for (const id of ['search', 'show', 'kind', 'sort']) {
    byId(id).addEventListener('input', () => {
      nShown = PAGE;
      draw();
    });
  }
  const showMore = () => {
    nShown += PAGE;
    draw();
  };
  byId('more').addEventListener('click', showMore);
  input('save-all').checked = data.isDryRun;
  byId('save-all').addEventListener('change', drawSave);
  byId('save').addEventListener('click', save);
  byId('forget').addEventListener('click', forget);
  picks.onChange(drawSave);
  draw();
  drawSave();
})();
