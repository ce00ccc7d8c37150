/** Set-up runs before any package is there, so it has its own small error with the codes of `domain/errors.ts`. */
export class SetupError extends Error {
  /**
   * @param {string} code a code of the error catalogue, such as `BinaryMissing`
   * @param {string} message what is wrong here
   * @param {string} remedy what to do next
   */
  constructor(code, message, remedy) {
    super(message);
    this.name = 'SetupError';
    this.code = code;
    this.remedy = remedy;
  }
}

/** Prints an error for people and sets the exit code (6: the farm cannot run here). */
export function report(error) {
  if (error instanceof SetupError) {
    process.stderr.write(`\n${error.code}: ${error.message}\n${error.remedy}\n`);
    process.exitCode = 6;
    return;
  }
  process.stderr.write(`\n${error?.stack ?? error}\n`);
  process.exitCode = 1;
}
