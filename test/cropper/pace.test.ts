import { describe, expect, test } from 'vitest';
import { Pace } from '../../src/cropper/pace.js';

/** A machine by the photos a second it crops with each number at once. Runs photos and says how long they took. */
function crop(nPhotos: number, most: number, photosASecond: (jobs: number) => number): { jobs: number; ms: number } {
  let ms = 0;
  const pace = new Pace({ most }, () => ms);
  pace.startRun();
  let nInHand = 0;
  for (let i = 0; i < nPhotos; i++) {
    while (nInHand <= pace.jobs) {
      pace.begin();
      nInHand++;
    }
    ms += 1000 / photosASecond(pace.jobs);
    nInHand--;
    pace.end();
  }
  return { jobs: pace.jobs, ms };
}

test('goes on to twice as many at once for as long as that gains', () => {
  expect(crop(400, 16, (jobs) => 5 * Math.min(jobs, 4)).jobs).toBe(4);
  expect(crop(400, 3, (jobs) => 5 * jobs).jobs).toBe(3);
  expect(crop(400, 2, (jobs) => 0.5 * jobs).jobs).toBe(2);
});

test('goes back to one where two do not gain', () => {
  expect(crop(60, 2, () => 5).jobs).toBe(1);
  expect(crop(60, 8, (jobs) => 5 / jobs).jobs).toBe(1);
});

test('where two are slower, a folder of some hundreds takes at most a twentieth longer than one at a time', () => {
  for (const slowness of [0.95, 0.8, 0.5, 0.3]) {
    const nPhotos = 300;
    const { ms } = crop(nPhotos, 8, (jobs) => (jobs === 1 ? 5 : 5 * slowness));
    expect(ms).toBeLessThan(1.05 * (nPhotos / 5) * 1000);
  }
});

test('a machine that grows slower all the while favours neither', () => {
  let nPhotos = 0;
  const slowing = (): number => 20 / (1 + nPhotos++ / 20);
  expect(crop(60, 2, slowing).jobs).toBe(1);
});

describe('what is not measured', () => {
  test('time between two runs', () => {
    let ms = 0;
    const pace = new Pace({ most: 2 }, () => ms);
    const run = (nPhotos: number): void => {
      pace.startRun();
      for (let i = 0; i < nPhotos; i++) {
        pace.begin();
        ms += 200 / pace.jobs;
        pace.end();
      }
    };
    // Runs too short for a window each: nothing may be concluded of the hours between them.
    for (let i = 0; i < 20; i++) {
      run(4);
      ms += 3_600_000;
    }
    expect(pace.jobs).toBe(1);
    run(60);
    expect(pace.jobs).toBe(2);
  });

  test('anything where a number is asked for', () => {
    const pace = new Pace({ least: 3, most: 3 }, () => {
      throw new Error('nobody needs the time');
    });
    pace.startRun();
    for (let i = 0; i < 100; i++) {
      pace.begin();
      pace.end();
    }
    expect(pace.jobs).toBe(3);
  });
});

test('no more are tried than can be had', () => {
  const pace = new Pace({ most: 8 }, () => 0);
  pace.limit(1);
  expect(pace.jobs).toBe(1);
});
