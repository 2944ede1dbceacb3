// The platforms whose addon a release brings ready built, each in a package of its own. .github/workflows/release.yml builds
// them; test/release/workflow.test.ts compares the two.

/** Packages of GPU libraries that users may install beside: optional peers, so that npm refuses those of another version. */
export const GPU_LIBRARIES = [
  'linux-x64-cuda',
  'linux-x64-cuda-ext',
  'linux-x64-vulkan',
  'win-x64-cuda',
  'win-x64-cuda-ext',
  'win-x64-vulkan',
];

/**
 * `libraries`: node-llama-cpp's package that the addon is linked to; where there is none, llama.cpp is compiled too and its
 * libraries lie beside the addon.
 */
export const PLATFORMS = [
  { name: 'linux-x64', os: 'linux', cpu: 'x64', libc: 'glibc', libraries: 'linux-x64' },
  { name: 'linux-x64-musl', os: 'linux', cpu: 'x64', libc: 'musl' },
  { name: 'linux-arm64', os: 'linux', cpu: 'arm64', libc: 'glibc', libraries: 'linux-arm64' },
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64', libraries: 'mac-arm64-metal' },
  { name: 'darwin-x64', os: 'darwin', cpu: 'x64', libraries: 'mac-x64' },
  { name: 'win32-x64', os: 'win32', cpu: 'x64', libraries: 'win-x64' },
];

export const packageName = ({ name }) => `@framewright/${name}`;

/** The one that is built on this machine. */
export function thisPlatform() {
  const { glibcVersionRuntime } = process.report.getReport().header;
  const libc = process.platform !== 'linux' ? undefined : glibcVersionRuntime ? 'glibc' : 'musl';
  return PLATFORMS.find(({ os, cpu, libc: its }) => os === process.platform && cpu === process.arch && its === libc);
}

/** Most bytes a package may take unpacked; docs/install.md has what they take. */
export const BUDGET_BYTES = { main: 19e6, linked: 2.5e6, compiled: 16e6 };
