/** Models that llama.cpp runs and Framewright does not, by what names them, and why. */
const REFUSED: readonly { readonly names: readonly string[]; readonly why: string }[] = [
  {
    names: ['qwen35', 'qwen35moe', 'Qwen3_5ForConditionalGeneration', 'Qwen3_5MoeForConditionalGeneration'],
    why: 'Qwen3.5 keeps a running state that cannot be cut back, and conversations here are; a Qwen3-VL runs',
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
