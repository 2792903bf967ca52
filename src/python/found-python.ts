/** Whether this machine can run Python notebooks. */
export type PythonState = 'found' | 'pythonMissing' | 'ipykernelMissing';

/** The Python that the notebooks of a window use. */
export interface FoundPython {
  readonly state: PythonState;
  /** Absolute path; undefined if no Python was found. */
  readonly executable: string | undefined;
}
