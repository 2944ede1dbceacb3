import type { FeatureContext } from './feature-context.js';
import { areaOf, SIDES, toThird, type NameSink, type Sink } from './feature-parts.js';
import type { UnitBox } from './grid.js';

const N_SUBJECTS = 2;

export function subjects(context: FeatureContext, [x1, y1, x2, y2]: UnitBox, put: Sink): void {
  const width = x2 - x1;
  const height = y2 - y1;
  for (let i = 0; i < N_SUBJECTS; i++) {
    const subject = context.subjects[i];
    if (!subject) {
      for (let k = 0; k < 11; k++) put(-1);
      continue;
    }
    const [sx1, sy1, sx2, sy2] = subject.box;
    const shared =
      Math.max(0, Math.min(x2, sx2) - Math.max(x1, sx1)) * Math.max(0, Math.min(y2, sy2) - Math.max(y1, sy1));
    const cx = ((sx1 + sx2) / 2 - x1) / width;
    const cy = ((sy1 + sy2) / 2 - y1) / height;
    put(shared / areaOf(subject.box));
    put(shared / (width * height));
    put((sx1 - x1) / width);
    put((sy1 - y1) / height);
    put((x2 - sx2) / width);
    put((y2 - sy2) / height);
    put(Math.abs(cx - 0.5));
    put(Math.abs(cy - 0.5));
    put(toThird(cx));
    put(toThird(cy));
    put(subject.subjectScore);
  }
}
export function subjectNames(put: NameSink): void {
  for (let i = 0; i < N_SUBJECTS; i++) {
    for (const name of 'kept share left top right bottom offX offY thirdX thirdY score'.split(' '))
      put(`subject${i}.${name}`);
  }
}

export function lines(context: FeatureContext, [x1, y1, x2, y2]: UnitBox, put: Sink): void {
  const { horizon, mirrorAxis } = context;
  const y = horizon ? (horizon.y - y1) / (y2 - y1) : -1;
  put(y);
  put(horizon ? toThird(y) : -1);
  put(horizon ? horizon.strength : 0);
  put(mirrorAxis.correlation);
  put(mirrorAxis.correlation * Math.abs((mirrorAxis.at - x1) / (x2 - x1) - 0.5));
  let kept = 0;
  let total = 1e-6;
  const cut = [0, 0, 0, 0];
  for (const s of context.segments) {
    total += s.length;
    const mx = (s.x1 + s.x2) / 2;
    const my = (s.y1 + s.y2) / 2;
    if (mx > x1 && mx < x2 && my > y1 && my < y2) kept += s.length;
    if (s.x1 < x1 && s.x2 > x1) cut[0]! += s.length;
    if (Math.min(s.y1, s.y2) < y1 && Math.max(s.y1, s.y2) > y1) cut[1]! += s.length;
    if (s.x1 < x2 && s.x2 > x2) cut[2]! += s.length;
    if (Math.min(s.y1, s.y2) < y2 && Math.max(s.y1, s.y2) > y2) cut[3]! += s.length;
  }
  put(kept / total);
  cut.forEach((value) => put(value / total));
  put(Math.log(1 + total));
}
export function lineNames(put: NameSink): void {
  for (const name of 'horizon.y horizon.third horizon.strength mirror.correlation mirror.off segments.kept'.split(' '))
    put(name);
  for (const side of SIDES) put(`segments.cut.${side}`);
  put('segments.total');
}
