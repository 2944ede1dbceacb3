import { expect, test } from 'vitest';
import type { Element } from '../../../src/base/schema.js';
import { reasonFor } from '../../../src/train/targets/reason.js';
import { isTrueReason } from '../../../src/vlm/answer/true-reasons.js';
import { dice } from '../../../training/scenes/dice.js';

test('what training gives as a reason, the product finds true of that crop', () => {
  const roll = dice(7);
  const frame = { width: 252, height: 168 };
  const within = (side: number): [number, number] => {
    const low = roll.whole(0, side - 9);
    return [low, roll.whole(low + 8, side)];
  };
  const box = (): [number, number, number, number] => {
    const [[x1, x2], [y1, y2]] = [within(frame.width), within(frame.height)];
    return [x1, y1, x2, y2];
  };
  for (let i = 0; i < 20_000; i++) {
    const [crop, subject, line] = [box(), box(), box()];
    const elements: Element[] = [
      { type: 'center', box: subject },
      { type: 'diagonal', line },
    ];
    const why = reasonFor(crop, frame, elements);
    if (!isTrueReason(why, crop, frame, elements))
      expect.unreachable(`${why} of ${crop.join()} with ${subject.join()}`);
  }
});
