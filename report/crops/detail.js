// One photo, large: every candidate with its probability and reason, the composition, the times.
globalThis.report.detail = (() => {
  'use strict';

  const { data, byId, element, layers, picks, pictures } = globalThis.report;
  const dialog = byId('detail');
  let photos = [];
  let index = 0;
  let target = 0;

  const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
  const targetName = ({ aspect, size }) => size ?? aspect ?? 'free';
  const milliseconds = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

  function open(shown, photo, t = 0) {
    photos = shown;
    index = shown.indexOf(photo);
    target = t;
    draw();
    if (!dialog.open) dialog.showModal();
  }

  function step(by) {
    index = (index + by + photos.length) % photos.length;
    target = Math.min(target, photos[index].crops.length - 1);
    draw();
  }

  function optionRow(photo, crop, option, o) {
    const isPicked = picks.pickedOf(crop) === o;
    const row = element(
      'button',
      {
        type: 'button',
        class: 'option',
        'aria-pressed': String(isPicked),
        onclick: () => picks.pick(crop, o),
        onmouseenter: () => highlight(o),
        onmouseleave: () => highlight(-1),
        onfocus: () => highlight(o),
        onblur: () => highlight(-1),
      },
      element('span', { class: 'frame' }, pictures.preview(photo, option.box, { width: 7, height: 5 })),
      element(
        'span',
        { class: 'about' },
        element(
          'span',
          { class: 'score' },
          element('b', {}, option.modelScore === null ? 'whole photo' : String(o + 1)),
          ...(option.modelScore === null ? [] : [bar(option.modelScore), percent(option.modelScore)]),
          o === crop.best ? element('span', { class: 'tag' }, data.engine === 'vlm' ? 'model’s choice' : 'best') : '',
        ),
        element('span', { class: 'why' }, option.why),
      ),
    );
    return row;
  }

  function bar(share) {
    const node = element('span', { class: 'bar' }, element('span'));
    node.firstChild.style.width = `${100 * share}%`;
    return node;
  }

  function highlight(o) {
    for (const node of dialog.querySelectorAll('.candidate')) {
      node.classList.toggle('lit', node.dataset.option === String(o));
    }
  }

  function times({ timingsMs }) {
    const entries = Object.entries(timingsMs);
    const total = entries.reduce((sum, [, ms]) => sum + ms, 0);
    const strip = element('div', { class: 'times' });
    entries.forEach(([step, ms], i) => {
      const part = element('span', { title: `${step} ${milliseconds(ms)}` });
      part.style.flexGrow = String(ms);
      part.style.setProperty('--step', String(i));
      strip.append(part);
    });
    const legend = element('p', { class: 'note' });
    legend.textContent = entries.map(([step, ms]) => `${step} ${milliseconds(ms)}`).join(' · ');
    return [heading(`Time: ${milliseconds(total)}`), strip, legend];
  }

  function composition({ elements }) {
    if (elements.length === 0) return [];
    const buttons = layers.kindButtons(new Set(elements.map(({ kind }) => kind)));
    return [heading('Composition'), element('div', { class: 'layers' }, ...buttons)];
  }

  const heading = (text) => element('h3', {}, text);

  function draw() {
    const photo = photos[index];
    const crop = photo.crops[target];
    const picked = picks.pickedOf(crop);
    const [x1, y1, x2, y2] = crop.options[picked].box;
    const tabs = photo.crops.map((other, t) =>
      element(
        'button',
        {
          type: 'button',
          'aria-pressed': String(t === target),
          onclick: () => {
            target = t;
            draw();
          },
        },
        targetName(other),
      ),
    );
    const go = (text, label, by) =>
      element('button', { type: 'button', 'aria-label': label, onclick: () => step(by) }, text);
    dialog.replaceChildren(
      element('div', { class: 'stage' }, pictures.picture(photo, crop, picked)),
      element(
        'aside',
        {},
        element(
          'div',
          { class: 'navigation' },
          go('←', 'previous photo', -1),
          element('span', { class: 'note' }, `${index + 1} of ${photos.length}`),
          go('→', 'next photo', 1),
          element(
            'button',
            { type: 'button', class: 'close', 'aria-label': 'close', onclick: () => dialog.close() },
            '✕',
          ),
        ),
        element('h2', {}, photo.path),
        element(
          'p',
          { class: 'note' },
          `${photo.width} × ${photo.height} px, crop ${x2 - x1} × ${y2 - y1} px at (${x1}, ${y1})`,
        ),
        photo.crops.length > 1 ? element('div', { class: 'tabs' }, ...tabs) : '',
        heading('Candidates'),
        element('div', { class: 'options' }, ...crop.options.map((option, o) => optionRow(photo, crop, option, o))),
        ...(crop.why && crop.why !== crop.options[crop.best].why ? [heading('Why'), element('p', {}, crop.why)] : []),
        ...composition(photo),
        ...times(crop),
      ),
    );
  }

  picks.onChange((crop) => {
    if (!dialog.open || photos[index].crops[target] !== crop) return;
    const focused = [...dialog.querySelectorAll('.option')].indexOf(document.activeElement);
    draw();
    dialog.querySelectorAll('.option')[focused]?.focus();
  });

  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const crop = photos[index].crops[target];
    if (event.key === 'ArrowLeft') step(-1);
    else if (event.key === 'ArrowRight') step(1);
    else if (/^[1-9]$/.test(event.key) && Number(event.key) <= crop.options.length) {
      picks.pick(crop, Number(event.key) - 1);
    } else return;
    event.preventDefault();
  });

  return { open, percent, targetName, milliseconds };
})();
