// The gallery of a crop report: a card a photo, filters, sort, and saving the choices.
(() => {
  'use strict';

  const { data, byId, element, layers, picks, pictures, detail } = globalThis.report;
  const { photos, failures } = data;
  const PAGE = 60;
  const UNSURE_BELOW = 0.5;
  let nShown = PAGE;
  /** Target shown on a photo's card. */
  const targets = new Map();
  const cards = new Map();
  const photoOf = new Map(photos.flatMap((photo) => photo.crops.map((crop) => [crop, photo])));

  const sureness = (photo) =>
    Math.min(...photo.crops.map((crop) => Math.max(...crop.options.map((o) => o.modelScore ?? 0))));
  const timeOf = (photo) =>
    Math.max(...photo.crops.map(({ timingsMs }) => Object.values(timingsMs).reduce((sum, ms) => sum + ms, 0)));
  const shareOf = (photo) =>
    Math.min(
      ...photo.crops.map((crop) => {
        const [x1, y1, x2, y2] = crop.options[picks.pickedOf(crop)].box;
        return ((x2 - x1) * (y2 - y1)) / (photo.width * photo.height);
      }),
    );
  const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

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
      element('p', { class: 'hint' }, 'Click a photo to see it large, a small picture to pick that crop.'),
    );
    if (failures.length === 0) return;
    byId('head').append(
      element(
        'details',
        { class: 'failures' },
        element('summary', {}, `${count(failures.length, 'photo')} failed`),
        element('ul', {}, ...failures.map(({ message, code }) => element('li', {}, `${message} [${code}]`))),
      ),
    );
  }

  function card(photo) {
    const t = targets.get(photo) ?? 0;
    const crop = photo.crops[t];
    const picked = picks.pickedOf(crop);
    const { modelScore } = crop.options[picked];
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
          onclick: () => detail.open(shown(), photo, targets.get(photo)),
        },
        pictures.picture(photo, crop, picked),
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
              : detail.percent(modelScore),
        ),
      ),
      photo.crops.length > 1 ? element('div', { class: 'tabs' }, ...tabs) : '',
      element('div', { class: 'strip' }, ...options),
    );
  }

  function redraw(photo) {
    const before = cards.get(photo);
    if (!before) return;
    const buttons = (node) => [...node.querySelectorAll('button')];
    const focused = buttons(before).indexOf(document.activeElement);
    const after = card(photo);
    before.replaceWith(after);
    cards.set(photo, after);
    buttons(after)[focused]?.focus();
  }

  function shown() {
    const words = byId('search').value.toLowerCase();
    const kind = byId('kind').value;
    const filters = {
      all: () => true,
      changed: ({ crops }) => crops.some(picks.isChanged),
      unsure: (photo) => sureness(photo) < UNSURE_BELOW,
      kept: ({ crops }) => crops.some(({ isKept }) => isKept),
    };
    const found = photos.filter(
      (photo) =>
        photo.path.toLowerCase().includes(words) &&
        filters[byId('show').value](photo) &&
        (kind === '' || photo.elements.some((drawn) => drawn.kind === kind)),
    );
    const keys = { unsure: sureness, tight: shareOf, slow: (photo) => -timeOf(photo) };
    const sort = byId('sort').value;
    if (sort === 'name') found.sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }));
    else if (keys[sort]) found.sort((a, b) => keys[sort](a) - keys[sort](b));
    return found;
  }

  function draw() {
    const found = shown();
    cards.clear();
    for (const photo of found.slice(0, nShown)) cards.set(photo, card(photo));
    byId('gallery').replaceChildren(...cards.values());
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
    const n = picks.lines(byId('save-all').checked).length;
    byId('save').disabled = n === 0;
    byId('save').textContent = n === 0 ? 'Save choices' : `Save ${count(n, 'choice')}`;
  }

  function save() {
    const text = picks
      .lines(byId('save-all').checked)
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
  byId('save-all').checked = data.isDryRun;
  byId('save-all').addEventListener('change', drawSave);
  byId('save').addEventListener('click', save);
  picks.onChange((crop) => {
    redraw(photoOf.get(crop));
    drawSave();
  });
  draw();
  drawSave();
})();
