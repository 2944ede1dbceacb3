/** What went wrong with a GGUF file, as a word a program can test. */
export type GgufErrorCode =
  | 'NOT_GGUF' // wrong magic: some other kind of file
  | 'UNSUPPORTED' // a real GGUF of a form we do not read: big-endian, version 1, split, a removed tensor type
  | 'TRUNCATED' // the file ends inside its header or inside a tensor
  | 'MALFORMED' // the header contradicts itself or the file's size
  | 'INVALID' // readable, but not a model of the expected kind; the message names the first problems
  | 'WRITE' // the arguments describe no writable file
  | 'OUTPUT' // the operating system refused to write: no folder, no permission, disk full
  | 'IO'; // the operating system refused to read

/** Every error this folder throws on purpose, except an AbortSignal's own reason. */
export class GgufError extends Error {
  override readonly name = 'GgufError';
  readonly code: GgufErrorCode;

  constructor(code: GgufErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
