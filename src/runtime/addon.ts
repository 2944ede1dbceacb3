/**
 * The exports of `framewright.node`, exactly as native/src/addon.cpp makes them. Only src/runtime uses it: arguments are
 * checked before they get here, and what the addon throws is a plain `Error` whose `code` is an `ErrorCode`.
 */
export interface NativeAddon {
  /**
   * Sets llama.cpp's three log hooks and initialises it. Call it before anything else, in every environment; after the
   * first time in a process it only registers the environment.
   */
  init(): void;

  /**
   * Loads the best of each kind of backend library in a folder (`libggml-cpu-*.so`, ...), as
   * `ggml_backend_load_all_from_path` does, once per folder and process. Returns the names of all backends registered
   * by now, e.g. `['CPU']`; without `CPU` among them no model can be loaded.
   */
  loadBackends(folder: string): string[];

  /**
   * Loads one backend library, e.g. `libggml-cuda.so`, once per file and process. `error` is null if it is registered
   * now, else the loader's reason in one line (`libcudart.so.13: cannot open shared object file`).
   */
  loadBackend(file: string): { readonly error: string | null };

  /** Devices of all backends registered, in llama.cpp's order. */
  devices(): NativeDevice[];

  versions(): NativeVersions;

  /**
   * `listener` is called on this environment's thread whenever lines wait in `drainLogs()`; null stops it. It does not
   * keep the process alive.
   */
  setLogListener(listener: (() => void) | null): void;

  /** Log lines since this environment's last call, oldest first; the ring keeps the last 1000 of the process. */
  drainLogs(): NativeLogLine[];
}

export interface NativeDevice {
  /** e.g. `CPU`, `CUDA0`, `Vulkan0`; what `NativeModelParams.devices` takes. */
  readonly name: string;
  readonly description: string;
  readonly kind: 'cpu' | 'gpu' | 'igpu' | 'accel';
  /** Name of the backend it belongs to, e.g. `CPU`, `CUDA`, `Vulkan`, `Metal`. */
  readonly backend: string;
  readonly memoryFreeBytes: number;
  readonly memoryTotalBytes: number;
}

export interface NativeVersions {
  /** llama.cpp's `llama_version()`. */
  readonly llama: string;
  /** N-API version the addon was compiled for. */
  readonly napi: number;
  /** llama.cpp's `llama_print_system_info()`: instruction sets in use. */
  readonly system: string;
}

export interface NativeLogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}
