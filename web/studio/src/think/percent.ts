/** `12.3 %`, and never 0 for what is only small. */
export function percent(share: number): string {
  if (share > 0 && share < 0.001) return 'under 0.1 %';
  return `${(100 * share).toFixed(1)} %`;
}
