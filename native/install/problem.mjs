/** A build that cannot be done here. The message is one line: what is wrong and what to do. */
export class BuildProblem extends Error {
  name = 'BuildProblem';
}
