/** A vitest reporter that ends a run with one plain line, for scripts and continuous integration. */
export default class SummaryReporter {
  /** @param {readonly import('vitest/node').TestModule[]} modules @param {readonly unknown[]} errors */
  onTestRunEnd(modules, errors) {
    const count = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      let failedInside = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'pending') continue;
        count[state] += 1;
        if (state === 'failed') failedInside += 1;
      }
      // A file that does not even load, or whose hooks fail, has no failed test of its own.
      if (module.state() === 'failed' && failedInside === 0) count.failed += 1;
    }
    count.failed += errors.length;
    process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}
