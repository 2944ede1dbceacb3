import { counted } from '../../base/counted.js';
import type { BatchProgress } from '../../batch/listener.js';

/** `120 of 10000 photos, 2 failed, 31 a minute, 5 h 19 min left`; rate and rest once there is something to go by. */
export function batchProgress({ nTotal, nEarlier, nDone, nFailed, elapsedMs }: BatchProgress): string {
  const parts = [`${nDone} of ${counted(nTotal, 'photo')}`];
  if (nFailed > 0) parts.push(`${nFailed} failed`);
  const nNow = nDone - nEarlier;
  if (nNow > 0 && nDone < nTotal && elapsedMs > 0) {
    parts.push(rateText(nNow / (elapsedMs / 1000)), `${durationText(((nTotal - nDone) * elapsedMs) / nNow)} left`);
  }
  return parts.join(', ');
}

export function rateText(perSecond: number): string {
  if (perSecond >= 1) return `${twoDigits(perSecond)} a second`;
  return perSecond * 60 >= 1 ? `${twoDigits(perSecond * 60)} a minute` : `${twoDigits(perSecond * 3600)} an hour`;
}

function twoDigits(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

export function durationText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
