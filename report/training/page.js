// The page of a run of training: its curves, and for DPO what a margin costs at this beta and at others.
/** @typedef {import('../../src/train/native/training-page.js').TrainingPageData} PageData */

(() => {
  'use strict';

  const { data, byId, input, element } = report;
  const { kind, beta, identity, before, rows, margins, seconds } = data;
  const isDpo = kind === 'dpo';
  const COLOURS = { learnt: '#3b7dd8', heldOut: '#d9822b', other: '#8a939c', own: '#2f9e66' };
  const OTHER_BETAS = [0.05, 0.1, 0.2, 0.5, 1];
  /** Every step is a dot of noise; a mean over these many is a curve. */
  const SMOOTHED = Math.max(1, Math.round(rows.length / 40));

  /** @typedef {PageData['rows'][number]} Row */
  /** @typedef {'loss' | 'accuracy' | 'margin'} Figure */

  /**
   * Means of runs of steps.
   * @param {(row: Row) => number | undefined} valueOf
   * @returns {[x: number, y: number][]}
   */
  function smooth(valueOf) {
    return rows.flatMap((row, i) => {
      if ((i + 1) % SMOOTHED !== 0) return [];
      const run = rows.slice(i + 1 - SMOOTHED, i + 1).map((each) => valueOf(each) ?? NaN);
      return [/** @type {[number, number]} */ ([row.step, run.reduce((sum, value) => sum + value, 0) / run.length])];
    });
  }

  /**
   * @param {Figure | 'preferred'} figure
   * @returns {[x: number, y: number][]}
   */
  function heldOut(figure) {
    const first = before?.[figure];
    const start = first === undefined ? [] : [/** @type {[number, number]} */ ([0, first])];
    const later = rows.flatMap(({ step, heldOut: figures }) => {
      const value = figures?.[figure];
      return value === undefined ? [] : [/** @type {[number, number]} */ ([step, value])];
    });
    return [...start, ...later];
  }

  /**
   * @param {string} title
   * @param {Figure} figure
   */
  function curve(title, figure) {
    const lines = [
      { name: 'learnt from', colour: COLOURS.learnt, points: smooth((row) => row[figure]) },
      { name: 'held out', colour: COLOURS.heldOut, points: heldOut(figure) },
    ];
    return plots.draw({ title, xLabel: 'step', lines: lines.filter(({ points }) => points.length > 0) });
  }

  function drawCurves() {
    const charts = [
      curve(isDpo ? 'Loss' : 'Loss, nats a token', 'loss'),
      curve(isDpo ? 'Pairs with a margin above 0' : 'Tokens that are the likeliest', 'accuracy'),
    ];
    if (isDpo) charts.push(curve('Reward margin, beta * (chosen - rejected)', 'margin'));
    const preferred = heldOut('preferred');
    if (preferred.length > 0)
      charts.push(
        plots.draw({
          title: 'Held-out pairs whose chosen answer is the likelier',
          xLabel: 'step',
          lines: [{ name: 'held out', colour: COLOURS.heldOut, points: preferred }],
        }),
      );
    charts.push(
      plots.draw({
        title: 'Length of the gradient',
        xLabel: 'step',
        lines: [{ name: 'before clipping', colour: COLOURS.learnt, points: smooth((row) => row.gradientNorm) }],
      }),
      plots.draw({
        title: 'Learning rate',
        xLabel: 'step',
        lines: [{ name: 'rate', colour: COLOURS.learnt, points: smooth((row) => row.learningRate) }],
        yFrom: 0,
      }),
    );
    byId('curves').append(...charts);
  }

  /**
   * log(1 + exp(x)) without overflow.
   * @param {number} x
   */
  const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  /**
   * @param {number} margin
   * @param {number} b
   */
  const lossAt = (margin, b) => softplus(-b * margin);
  /**
   * @param {number} margin
   * @param {number} b
   */
  const weightAt = (margin, b) => b / (1 + Math.exp(b * margin));

  function drawPreference() {
    const chosen = 10 ** Number(input('beta').value);
    byId('beta-value').textContent =
      `${chosen.toPrecision(2)}${Math.abs(chosen - beta) < 0.01 * beta ? ' (this run)' : ''}`;
    const most = Math.max(10, ...margins.map(Math.abs)) * 1.1;
    const xs = Array.from({ length: 201 }, (_, i) => -most + (2 * most * i) / 200);
    /**
     * @param {string} title
     * @param {(margin: number, b: number) => number} valueAt
     */
    const chart = (title, valueAt) => {
      /** @param {number} b */
      const pointsOf = (b) => xs.map((x) => /** @type {[number, number]} */ ([x, valueAt(x, b)]));
      const others = OTHER_BETAS.filter((b) => b !== beta);
      return plots.draw({
        title,
        xLabel: 'margin before beta',
        yFrom: 0,
        strokes: margins,
        lines: [
          ...others.map((b) => ({ name: `beta ${b}`, colour: COLOURS.other, points: pointsOf(b), isFaint: true })),
          { name: `beta ${beta} (this run)`, colour: COLOURS.learnt, points: pointsOf(beta), isFaint: false },
          { name: `beta ${chosen.toPrecision(2)}`, colour: COLOURS.own, points: pointsOf(chosen), isFaint: false },
        ],
      });
    };
    byId('preference-curves').replaceChildren(chart('Loss', lossAt), chart('Weight of the gradient', weightAt));
  }

  function drawSettings() {
    const cells = Object.entries(identity).map(([name, value]) =>
      element('tr', {}, element('td', {}, name.replaceAll('_', ' ')), element('td', {}, value)),
    );
    byId('settings').append(...cells);
  }

  const last = rows.at(-1);
  byId('head').append(
    element('h1', {}, document.title),
    element('p', {}, `${last?.step ?? 0} steps in ${Math.round(seconds)} s by Framewright.`),
  );
  drawCurves();
  drawSettings();
  if (isDpo) {
    byId('preference').hidden = false;
    input('beta').value = String(Math.log10(beta));
    input('beta').addEventListener('input', drawPreference);
    drawPreference();
  }
})();
