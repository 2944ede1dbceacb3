import type { Reporter, TestModule } from 'vitest/node';

/**
 * Names what was not tested, a line each, at the end of a run. Under FRAMEWRIGHT_TEST_TOOLS=required, where everything can
 * be tested, a skipped test fails the run. (Tests that `-t` or `.only` leave out are skipped too, and not meant.)
 */
export default class UntestedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((each) => `${module.relativeModuleId} > ${each.fullName}`),
    );
    if (skipped.length === 0) return;
    console.error(`\n${skipped.length} not tested:\n${skipped.map((title) => `  ${title}`).join('\n')}`);
    if (process.env.FRAMEWRIGHT_TEST_TOOLS !== 'required') return;
    console.error('FRAMEWRIGHT_TEST_TOOLS=required: a test that is skipped fails the run');
    process.exitCode = 1;
  }
}
