/** Whether notebooks in Python can be executed on this machine. */
export type PythonState = 'found' | 'pythonMissing' | 'ipykernelMissing';

/** The Python that notebooks of a window run in. */
export interface FoundPython {
  readonly state: PythonState;
  /** Absolute path; undefined where there is none. */
  readonly executable: string | undefined;
}
