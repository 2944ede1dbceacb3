import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { hashSources as hashSourcesAtBuild } from '../../native/install/build-info.mjs';
import { addonPackage, platformName } from '../../native/install/packages.mjs';
import { hashSources } from '../../src/runtime/backends/builds.js';
import { addonPackageName } from '../../src/runtime/backends/packages.js';
import { makeSandbox, projectDir, type Sandbox, type SandboxOptions } from './sandbox.js';

const libraryPackage = `@node-llama-cpp/${platformName()!}`;
let sandbox: Sandbox | undefined;
afterEach(() => {
  sandbox?.remove();
  sandbox = undefined;
});
const open = (options?: SandboxOptions): Sandbox => (sandbox = makeSandbox(options));

/** What the install script says where it cannot build: the reason, and what that means. */
function lines(stderr: string): { reason: string; rest: string[] } {
  const [reason = '', ...rest] = stderr.trimEnd().split('\n');
  return { reason, rest };
}

describe('without an addon and a way to compile it, installing succeeds and says in one line what to do:', () => {
  const all = ['cmake', 'make', 'g++', 'gcc', 'c++', 'cc'];

  test.each([
    ['CMake', 'cmake', /^framewright: CMake is not installed: .*cmake/],
    ['a C++ compiler', 'g++', /^framewright: no C\+\+ compiler is installed: .*g/],
    ['make', 'make', /^framewright: neither make nor ninja is installed: .*make/],
  ])('%s', (_, tool, line) => {
    const { root, run } = open({ asDependency: true });
    const { status, stdout, stderr } = run('install.mjs', { tools: all.filter((name) => name !== tool) });
    const { reason, rest } = lines(stderr);
    expect(reason).toMatch(line);
    expect(rest).toEqual(['framewright: models cannot be run until that is mended; everything else works']);
    expect(stdout).toBe('');
    expect(status).toBe(0);
    const noted = JSON.parse(readFileSync(join(root, 'build/not-built.json'), 'utf8')) as { problem: string };
    expect(`framewright: ${noted.problem}`).toBe(reason);
  });

  test('the compiler that CXX names', () => {
    const { status, stderr } = open().run('install.mjs', { env: { CXX: '/nowhere/g++' } });
    expect(lines(stderr).reason).toBe(
      'framewright: the C++ compiler CXX=/nowhere/g++ cannot be run: correct or unset CXX',
    );
    expect(status).toBe(0);
  });

  test.each([
    ['node-llama-cpp', { without: ['node-llama-cpp'] }],
    ['the prebuilt libraries', { without: [libraryPackage] }],
    ['prebuilt libraries of the right version', { versions: { [libraryPackage]: '1.2.3' } }],
  ])('%s, and no npm to download it', (_, options) => {
    const { status, stderr } = open(options).run('install.mjs', { tools: all, env: { npm_execpath: '' } });
    const [downloads, reason] = stderr.split('\n');
    expect(downloads).toBe('framewright: downloading llama.cpp and what compiles it');
    expect(reason).toBe('framewright: npm, which downloads the sources of llama.cpp, is not on PATH');
    expect(status).toBe(0);
  });

  test('node-llama-cpp, and no network', () => {
    const { status, stderr } = open({ without: ['node-llama-cpp'] }).run('install.mjs', {
      env: {
        npm_config_registry: 'http://127.0.0.1:9/',
        npm_config_fetch_retries: '0',
        npm_config_cache: mkdtempSync(join(tmpdir(), 'framewright-no-cache-')),
      },
    });
    expect(stderr).toMatch(/^framewright: npm install failed: .*127\.0\.0\.1:9/m);
    expect(status).toBe(0);
  });

  test('where it was asked to compile, failing is a failure', () => {
    const env = { FRAMEWRIGHT_BUILD: 'source' };
    const { status, stderr } = open({ asDependency: true }).run('install.mjs', { tools: ['make', 'g++', 'gcc'], env });
    expect(stderr).toMatch(/^framewright: CMake is not installed: /);
    expect(status).toBe(1);
  });
});

// The real thing takes half a minute; this compiles in a second, through the same script, cmake-js and CMake.
describe('a small addon', { timeout: 180_000 }, () => {
  const cmakeLists = `
cmake_minimum_required(VERSION 3.16)
project(small LANGUAGES CXX)
add_library(addon SHARED src/binding/addon.cpp \${CMAKE_JS_SRC})
set_target_properties(addon PROPERTIES OUTPUT_NAME framewright PREFIX "" SUFFIX ".node")
target_include_directories(addon PRIVATE \${CMAKE_JS_INC})
target_link_libraries(addon PRIVATE \${CMAKE_JS_LIB})
`;
  const addon = (answer: string): string => `
#include <node_api.h>
extern "C" napi_value napi_register_module_v1(napi_env env, napi_value exports) {
    napi_create_int32(env, ${answer}, &exports);
    return exports;
}
extern "C" int32_t node_api_module_get_api_version_v1() { return 9; }
`;
  const answerOf = (root: string): unknown => {
    const module = { exports: {} as unknown };
    process.dlopen(module, join(root, 'build/Release/framewright.node'));
    return module.exports;
  };
  const openSmall = (options?: SandboxOptions): Sandbox => {
    const box = open(options);
    writeFileSync(join(box.root, 'native/CMakeLists.txt'), cmakeLists);
    writeFileSync(join(box.root, 'native/src/binding/addon.cpp'), addon('42'));
    return box;
  };

  test('is compiled once, again when its source changed, and survives a source that does not compile', () => {
    const { root, run } = openSmall();
    const addonPath = join(root, 'build/Release/framewright.node');
    const first = run('install.mjs');
    expect(first.stderr).toMatch(/native addon built in/);
    expect(first.status).toBe(0);
    expect(answerOf(root)).toBe(42);
    const { mtimeMs, ino } = statSync(addonPath);

    expect(run('install.mjs').stderr).toBe('framewright: native addon is up to date\n');
    expect(run('install.mjs', { tools: [] }).stderr).toBe('framewright: native addon is up to date\n');
    expect(statSync(addonPath)).toMatchObject({ mtimeMs, ino });

    writeFileSync(join(root, 'native/src/binding/addon.cpp'), addon('forty_two'));
    const broken = run('build.mjs');
    expect(broken.status).toBe(1);
    expect(broken.stderr).toMatch(/does not compile: .*addon\.cpp:\d+:\d+: error: .*forty_two.*; full log: .*default\.log\n$/);
    expect(statSync(addonPath)).toMatchObject({ mtimeMs, ino });

    writeFileSync(join(root, 'native/src/binding/addon.cpp'), addon('43'));
    expect(run('install.mjs').stderr).toMatch(/native addon built in/);
    expect(statSync(addonPath).ino).not.toBe(ino);
  });

  test('is compiled in a dependency too, where nothing but the result is left', () => {
    const { root, run } = openSmall({ asDependency: true });
    expect(run('install.mjs').status).toBe(0);
    expect(answerOf(root)).toBe(42);
    expect(existsSync(join(root, 'native/vendor/libmtmd'))).toBe(false);
    expect(existsSync(join(root, 'native/build/default'))).toBe(false);
    expect(existsSync(join(root, 'build/not-built.json'))).toBe(false);
    expect(run('install.mjs').stderr).toBe('framewright: native addon is up to date\n');
  });

  test('that a package brings is taken as it is, and compiled here only if it does not load or is of another version', () => {
    const { root, modules, run } = openSmall({ asDependency: true });
    expect(run('install.mjs').status).toBe(0);
    const built = readFileSync(join(root, 'build/Release/framewright.node'));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const bring = (packageVersion: string, bytes: Buffer): string => {
      const dir = join(modules, addonPackage());
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: addonPackage(), version: packageVersion }));
      writeFileSync(join(dir, 'framewright.node'), bytes);
      rmSync(join(root, 'build'), { recursive: true, force: true });
      return run('install.mjs').stderr;
    };
    expect(bring(version, built)).toBe('');
    expect(existsSync(join(root, 'build'))).toBe(false);
    expect(bring(version, Buffer.from('no library'))).toMatch(
      /^framewright: @framewright\/\S+ does not load here: .*\n(.*\n)*framewright: native addon built in/,
    );
    expect(bring('0.0.1', built)).toMatch(/does not load here: it is version 0\.0\.1, this is /);
    expect(existsSync(join(root, 'build/Release/framewright.node'))).toBe(true);
  });

  test('that does not load is reported with the reason', () => {
    const { root, run } = openSmall();
    writeFileSync(join(root, 'native/src/binding/addon.cpp'), 'int missing();\nint there() { return missing(); }\nint at_start = missing();\n');
    const { status, stderr } = run('build.mjs');
    expect(stderr).toMatch(/was built but does not load \(.*undefined symbol: .*missing.*\): run npm run build:native/);
    expect(status).toBe(1);
  });
});

describe('the addon of this checkout', () => {
  test('is not compiled again when nothing changed', () => {
    const run = () => spawnSync(process.execPath, [join(projectDir, 'native/install/install.mjs')], { encoding: 'utf8' });
    expect(run().status).toBe(0); // compiles only where sources were edited since the last install
    const addonPath = join(projectDir, 'build/Release/framewright.node');
    const { mtimeMs, ino } = statSync(addonPath);
    expect(run().stderr).toBe('framewright: native addon is up to date\n');
    expect(statSync(addonPath)).toMatchObject({ mtimeMs, ino });
  });

  test('has sources whose hash the loader computes as the build does', () => {
    expect(hashSources(join(projectDir, 'native'))).toBe(hashSourcesAtBuild(join(projectDir, 'native')));
  });
});

test('the package that brings an addon has one name for the loader and the install script', () => {
  expect(addonPackageName()).toBe(addonPackage());
});

describe('FRAMEWRIGHT_BUILD=none', () => {
  test('builds nothing and succeeds', () => {
    const { root, run } = open({ without: ['node-llama-cpp'] });
    expect(run('install.mjs', { env: { FRAMEWRIGHT_BUILD: 'none' } })).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(existsSync(join(root, 'build'))).toBe(false);
  });
});
