import { spawnSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { hashSources as hashSourcesAtBuild } from '../../native/install/build-info.mjs';
import { platformName } from '../../native/install/packages.mjs';
import { hashSources } from '../../src/runtime/backends/builds.js';
import { makeSandbox, projectDir, type Sandbox, type SandboxOptions } from './sandbox.js';

const libraryPackage = `@node-llama-cpp/${platformName()!}`;
let sandbox: Sandbox | undefined;
afterEach(() => {
  sandbox?.remove();
  sandbox = undefined;
});
const open = (options?: SandboxOptions): Sandbox => (sandbox = makeSandbox(options));

describe('what is missing is one line that says what to do:', () => {
  const all = ['cmake', 'make', 'g++', 'gcc', 'c++', 'cc'];

  test.each([
    ['CMake', 'cmake', /^framewright: CMake is not installed: .*cmake/],
    ['a C++ compiler', 'g++', /^framewright: no C\+\+ compiler is installed: .*g/],
    ['make', 'make', /^framewright: neither make nor ninja is installed: .*make/],
  ])('%s', (_, tool, line) => {
    const { status, stdout, stderr } = open().run('install.mjs', { tools: all.filter((name) => name !== tool) });
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });

  test('the compiler that CXX names', () => {
    const { status, stderr } = open().run('install.mjs', { env: { CXX: '/nowhere/g++' } });
    expect(stderr).toBe('framewright: the C++ compiler CXX=/nowhere/g++ cannot be run: correct or unset CXX\n');
    expect(status).toBe(1);
  });

  test('node-llama-cpp', () => {
    const { status, stderr } = open({ without: ['node-llama-cpp'] }).run('install.mjs');
    expect(stderr).toMatch(/^framewright: node-llama-cpp, which brings llama\.cpp, is not installed: run npm install\n$/);
    expect(status).toBe(1);
  });

  test('the prebuilt libraries, in a checkout', () => {
    const { status, stderr } = open({ without: [libraryPackage] }).run('install.mjs');
    expect(stderr).toBe(
      `framewright: ${libraryPackage} is not installed: run npm install without --omit=optional, ` +
        'or to compile llama.cpp as well, run npm run build:native -- --from-source\n',
    );
    expect(status).toBe(1);
  });

  test('the prebuilt libraries, in a dependency, which npm removes again when its install script fails', () => {
    const { status, stderr } = open({ without: [libraryPackage], asDependency: true }).run('install.mjs');
    expect(stderr).toContain('install again with FRAMEWRIGHT_BUILD=source set in the environment');
    expect(status).toBe(1);
  });

  test('prebuilt libraries of the same version', () => {
    const { status, stderr } = open({ versions: { [libraryPackage]: '1.2.3' } }).run('install.mjs');
    expect(stderr).toMatch(new RegExp(`^framewright: node-llama-cpp is \\S+ but ${libraryPackage} is 1\\.2\\.3: remove`));
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
    const broken = run('install.mjs');
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
    expect(run('install.mjs').stderr).toBe('framewright: native addon is up to date\n');
  });

  test('that does not load is reported with the reason', () => {
    const { root, run } = openSmall();
    writeFileSync(join(root, 'native/src/binding/addon.cpp'), 'int missing();\nint there() { return missing(); }\nint at_start = missing();\n');
    const { status, stderr } = run('install.mjs');
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

describe('FRAMEWRIGHT_BUILD=none', () => {
  test('builds nothing and succeeds', () => {
    const { root, run } = open({ without: ['node-llama-cpp'] });
    expect(run('install.mjs', { env: { FRAMEWRIGHT_BUILD: 'none' } })).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(existsSync(join(root, 'build'))).toBe(false);
  });
});
