/** Models that llama.cpp runs and Framewright does not, by what names them, and why. */
const REFUSED: readonly { readonly names: readonly string[]; readonly why: string }[] = [
  {
    names: ['qwen35moe', 'Qwen3_5MoeForConditionalGeneration'],
    why: 'Qwen3.5 with experts is not supported; a Qwen3.5 without (0.8B to 27B) or a Qwen3-VL-MoE runs',
  },
  {
    names: ['qwen2vl_merger', 'Qwen2VLForConditionalGeneration'],
    why: 'Qwen2-VL has an older vision tower; a Qwen2.5-VL or Qwen3-VL runs',
  },
];

/** The reason to give for an architecture, projector or checkpoint of these; undefined for any other. */
export function whyRefused(name: unknown): string | undefined {
  return REFUSED.find(({ names }) => names.includes(name as string))?.why;
}
