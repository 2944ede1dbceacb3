// One photo, large: every candidate with its probability and reason, the composition, the times.
const detail = (() => {
  'use strict';

  /** @typedef {PageData['photos'][number]} Photo */
  /** @typedef {Photo['crops'][number]} Crop */
  /** @typedef {Crop['options'][number]['box']} Box */

  const { data, byId, element } = report;
  const dialog = byId('detail', HTMLDialogElement);
  /** @type {readonly Photo[]} */
  let photos = [];
  let index = 0;
  let target = 0;
  /**
   * What of the open photo changes with its choice.
   * @type {{ readonly show: () => void } | undefined}
   */
  let shown;

  /** @param {number} share */
  const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
  /** @param {Crop} crop */
  const targetName = ({ aspect, size }) => size ?? aspect ?? 'free';
  /** @param {number} ms */
  const milliseconds = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

  /**
   * @param {readonly Photo[]} shown Those the arrows go through.
   * @param {Photo} photo
   * @param {number} [t] Index into its crops.
   */
  function open(shown, photo, t = 0) {
    photos = shown;
    index = shown.indexOf(photo);
    target = t;
    draw();
    if (dialog.open) return;
    dialog.showModal();
    // Not the crop, which takes the arrow keys for itself.
    dialog.focus();
  }

  /** @param {number} by */
  function step(by) {
    index = (index + by + photos.length) % photos.length;
    target = Math.min(target, photos[index].crops.length - 1);
    draw();
  }

  /**
   * @param {Photo} photo
   * @param {Crop} crop
   * @param {Crop['options'][number]} option
   * @param {number} o Its index.
   */
  function optionRow(photo, crop, option, o) {
    return element(
      'button',
      {
        type: 'button',
        class: 'option',
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
          ...(option.modelScore === null || !crop.isScored ? [] : [bar(option.modelScore), percent(option.modelScore)]),
          o === crop.best ? element('span', { class: 'tag' }, data.engine === 'vlm' ? 'model’s choice' : 'best') : '',
        ),
        element('span', { class: 'why' }, option.why),
      ),
    );
  }

  /** @param {number} share */
  function bar(share) {
    const filled = element('span');
    filled.style.width = `${100 * share}%`;
    return element('span', { class: 'bar' }, filled);
  }

  /** @param {number} o */
  function highlight(o) {
    for (const node of /** @type {NodeListOf<SVGRectElement>} */ (dialog.querySelectorAll('.candidate'))) {
      node.classList.toggle('lit', node.dataset.option === String(o));
    }
  }

  /** @param {Crop} crop */
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

  /** @param {Photo} photo */
  function composition({ elements }) {
    if (elements.length === 0) return [];
    const buttons = layers.kindButtons(new Set(elements.map(({ kind }) => kind)));
    return [heading('Composition'), element('div', { class: 'layers' }, ...buttons)];
  }

  const resetText = () => (data.engine === 'vlm' ? 'Back to the model’s crop' : 'Back to the first crop');

  /** @param {string} text */
  const heading = (text) => element('h3', {}, text);

  function draw() {
    const photo = photos[index];
    const crop = photo.crops[target];
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
    /**
     * @param {string} text
     * @param {string} label
     * @param {number} by
     */
    const go = (text, label, by) =>
      element('button', { type: 'button', 'aria-label': label, onclick: () => step(by) }, text);
    const picture = pictures.picture(photo, crop);
    const size = element('p', { class: 'note', role: 'status' });
    const reset = element('button', { type: 'button', onclick: () => picks.reset(crop) }, resetText());
    const rows = crop.options.map((option, o) => optionRow(photo, crop, option, o));
    /** @param {Box} box */
    const tell = (box) => {
      size.textContent = `${photo.width} × ${photo.height} px, ${mover.inWords(box)}`;
    };
    const movable = mover.attach(picture, photo, crop, tell);
    shown = {
      show() {
        movable.show(picks.boxOf(crop));
        tell(picks.boxOf(crop));
        rows.forEach((row, o) => row.setAttribute('aria-pressed', String(picks.optionOf(crop) === o)));
        reset.disabled = !picks.isChanged(crop);
      },
    };
    dialog.replaceChildren(
      element('div', { class: 'stage' }, picture),
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
        size,
        photo.crops.length > 1 ? element('div', { class: 'tabs' }, ...tabs) : '',
        element(
          'div',
          { class: 'by-hand' },
          reset,
          element(
            'p',
            { class: 'note' },
            'Drag the crop, its edges or corners; arrow keys move it, Alt and arrows size it.',
          ),
        ),
        heading('Candidates'),
        element('div', { class: 'options' }, ...rows),
        ...(crop.why && crop.why !== crop.options[crop.best].why ? [heading('Why'), element('p', {}, crop.why)] : []),
        ...composition(photo),
        ...times(crop),
      ),
    );
    shown.show();
    // The button that was pressed may have gone with what it stood in, and the keys with it.
    if (dialog.open && !dialog.contains(document.activeElement)) dialog.focus();
  }

  picks.onChange((crop) => {
    if (dialog.open && photos[index].crops[target] === crop) shown?.show();
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
