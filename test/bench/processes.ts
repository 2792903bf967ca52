import { readdirSync, readFileSync } from 'node:fs';

/**
 * Peak resident memory (VmHWM, MB) of the processes that `matches` accepts, sampled every 20 ms from /proc until stopped.
 * Without /proc (macOS, Windows) the result is undefined.
 */
export function watchPeakMemory(
  matches: (commandLine: string, pid: number) => boolean,
): () => number | undefined {
  let peak: number | undefined;
  const sample = (): void => {
    for (const entry of processIds()) {
      try {
        const commandLine = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ');
        if (!matches(commandLine, Number(entry))) continue;
        const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${entry}/status`, 'utf8'))?.[1];
        if (kilobytes !== undefined) peak = Math.max(peak ?? 0, Number(kilobytes) / 1024);
      } catch {
        // The process ended between the listing and the reading.
      }
    }
  };
  const timer = setInterval(sample, 20);
  return () => {
    sample();
    clearInterval(timer);
    return peak;
  };
}

/** Resident memory of a process, MB; undefined without /proc. */
export function residentMemory(pid: number | undefined): number | undefined {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  } catch {
    return undefined;
  }
}

function processIds(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}
