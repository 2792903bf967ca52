/*
 * What the service hands to a runner, and where the runner leaves its results. The folder of an execution is the only
 * interface that must survive a restart of either side; every file in it has one writer:
 *
 *   execution.json  service   the record: resource, request, and the final runStatus once the runner is gone
 *   input.ipynb     service   snapshot of the notebook
 *   job.json        service   RunnerJob, 0600; the runner deletes it as soon as the kernel runs
 *   claim           either    created exclusively; its creator decides whether this attempt ever runs
 *   status.json     runner    RunnerStatus, replaced atomically
 *   journal         runner    every recorded event, appended; deleted when output.ipynb permanently has all of them
 *   output.ipynb    runner    replaced atomically at a bounded rate
 *   kernel.log      runner    stdout and stderr of the kernel process
 *   runner.log      runner    stdout and stderr of the runner process
 */
export const FILES = {
  execution: 'execution.json',
  input: 'input.ipynb',
  job: 'job.json',
  claim: 'claim',
  status: 'status.json',
  journal: 'journal',
  output: 'output.ipynb',
  kernelLog: 'kernel.log',
  runnerLog: 'runner.log',
} as const;

/** The temporary name of new content for a file that the runner replaces. At most one is ever left behind. */
export function unfinished(file: string): string {
  return `${file}.new`;
}
