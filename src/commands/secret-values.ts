import { maskSecrets } from '../execution/secret-names';
import { encodeParameters, parseParameters } from '../notebook/parameters/parse';
import { secretPatterns } from '../wording/names';

/** Parameters that may be kept in settings or in a window's memory. */
export interface KeptParameters {
  /** YAML or JSON text; the one that was given where nothing was left out. */
  readonly text: string;
  /** Names of the parameters that were left out: their names, or names in their values, say that they are secret. */
  readonly withheld: readonly string[];
}

/** Leaves out of YAML or JSON text what its names say is secret. */
export function withoutSecrets(text: string): KeptParameters {
  try {
    const parameters = parseParameters(text);
    const masked = maskSecrets(parameters, secretPatterns());
    const withheld = Object.keys(parameters).filter((name) => masked[name] !== parameters[name]);
    if (withheld.length === 0) return { text, withheld };
    const kept = Object.entries(parameters).filter(([name]) => !withheld.includes(name));
    return { text: encodeParameters(Object.fromEntries(kept)), withheld };
  } catch {
    // Another program's: what it means cannot be told.
    return { text, withheld: [] };
  }
}
