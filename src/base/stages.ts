/** CROP's stages, each of which an ablation may do without; see docs/evaluation.md for what takes its place. */
export const STAGES = ['analysis', 'enhancement', 'proposal', 'decision'] as const;
export type Stage = (typeof STAGES)[number];
