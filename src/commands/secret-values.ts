import { maskSecrets } from '../execution/secrets/secret-names';
import { encodeParameters, parseParameters } from '../notebook/parameters/parse';
import { secretPatterns } from '../wording/names';

/** Parameters that may be stored in settings or in the workspace state. */
export interface KeptParameters {
  /** YAML or JSON text; unchanged if nothing was removed. */
  readonly text: string;
  /** Names of the parameters that were removed, because their names, or names within their values, are secret. */
  readonly withheld: readonly string[];
}

/** Removes parameters with secret names from YAML or JSON text. */
export function withoutSecrets(text: string): KeptParameters {
  try {
    const parameters = parseParameters(text);
    const masked = maskSecrets(parameters, secretPatterns());
    const withheld = Object.keys(parameters).filter((name) => masked[name] !== parameters[name]);
    if (withheld.length === 0) return { text, withheld };
    const kept = Object.entries(parameters).filter(([name]) => !withheld.includes(name));
    return { text: encodeParameters(Object.fromEntries(kept)), withheld };
  } catch {
    // The text cannot be parsed, so its parameters are unknown. It is kept unchanged.
    return { text, withheld: [] };
  }
}
