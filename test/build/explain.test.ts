import { describe, expect, test } from 'vitest';
import { explain } from '../../native/install/cmake.mjs';
import { makeSandbox } from './sandbox.js';

// Lines of the logs that these failures leave with CMake 3.25, gcc 12 and CUDA 13.0.
describe('a failed build is explained in one line:', () => {
  test.each([
    [
      'a CUDA toolkit without cuBLAS',
      `-- Unable to find cublas_v2.h in either "/usr/local/cuda-13.0/include" or "/usr/math_libs/include"
-- Found CUDAToolkit: /usr/local/cuda-13.0/include (found version "13.0.88")
CMake Error at vendor/llama.cpp/ggml/src/ggml-cuda/CMakeLists.txt:165 (target_link_libraries):
  Target "ggml-cuda" links to:
    CUDA::cublas`,
      /^the CUDA toolkit here has no cuBLAS: install libcublas-dev-13-0 /,
    ],
    [
      'no CUDA toolkit',
      `-- Could not find nvcc, please set CUDAToolkit_ROOT.
CMake Error at vendor/llama.cpp/ggml/src/ggml-cuda/CMakeLists.txt:250 (message):
  CUDA Toolkit not found`,
      /^the CUDA toolkit is not installed, or nvcc is not on PATH: get it from https/,
    ],
    [
      'no GPU to compile for',
      `CMake Error in vendor/llama.cpp/ggml/src/ggml-cuda/CMakeLists.txt:
  CUDA_ARCHITECTURES is set to "native", but no GPU was detected.`,
      /^no NVIDIA GPU is in this machine .* --define CMAKE_CUDA_ARCHITECTURES=89$/,
    ],
    [
      'no Vulkan headers',
      `CMake Error at /usr/share/cmake-3.25/Modules/FindPackageHandleStandardArgs.cmake:230 (message):
  Could NOT find Vulkan (missing: Vulkan_LIBRARY Vulkan_INCLUDE_DIR glslc)
  (found version "")`,
      /^the Vulkan headers, glslc or SPIRV-Headers are not installed: /,
    ],
    [
      'too little memory',
      `g++: fatal error: Killed signal terminated program cc1plus
compilation terminated.`,
      /^the compiler ran out of memory: .*--jobs 1$/,
    ],
    [
      'a source that does not compile',
      `[3/17] Building CXX object CMakeFiles/addon.dir/src/addon.cpp.o
FAILED: CMakeFiles/addon.dir/src/addon.cpp.o
/src/addon.cpp:12:5: error: 'nothing' was not declared in this scope`,
      /^the native addon does not compile: \/src\/addon\.cpp:12:5: error: 'nothing' was not declared in this scope$/,
    ],
    [
      'an error of CMake nobody foresaw',
      `CMake Error at CMakeLists.txt:40 (message):
  expected one llama library in /libraries, found:

Call Stack (most recent call first):`,
      /^the native addon does not compile: CMake Error at CMakeLists\.txt:40 \(message\): expected one llama library/,
    ],
    ['nothing at all', '', /^the native addon does not compile$/],
  ])('%s', (_, log, line) => {
    expect(explain(log)).toMatch(line);
    expect(explain(log)).not.toContain('\n');
  });
});

describe('npm run build:native', () => {
  test.each([
    [['--from-source', '--cuda', '--vulkan'], 'choose one of --cuda and --vulkan'],
    [['--cuda'], '--cuda, --vulkan, --metal, --portable and --define go with --from-source'],
    [['--jobs', 'many'], '--jobs many: expected a number'],
    [['--from-source', '--define', 'X'], '--define X: expected NAME=VALUE'],
    [['--from-sauce'], "Unknown option '--from-sauce'"],
  ])('refuses %j with the reason, the usage and status 2', (args, reason) => {
    const sandbox = makeSandbox();
    try {
      const { status, stderr } = sandbox.run('build.mjs', { args });
      expect(stderr).toContain(`framewright: ${reason}`);
      expect(stderr).toContain('Usage: npm run build:native');
      expect(status).toBe(2);
    } finally {
      sandbox.remove();
    }
  });

  test('--from-source names a missing tool as well', () => {
    const sandbox = makeSandbox();
    try {
      const { status, stderr } = sandbox.run('build.mjs', {
        args: ['--from-source', '--vulkan'],
        tools: ['make', 'g++', 'gcc'],
      });
      expect(stderr).toMatch(/^framewright: CMake is not installed: /);
      expect(status).toBe(1);
    } finally {
      sandbox.remove();
    }
  });
});
