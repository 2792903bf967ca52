import * as os from 'node:os';

/** A variable's name as it is passed on. Windows ignores the case of names: there it is in upper case, as in Python. */
function variableName(name: string, platform: NodeJS.Platform = process.platform): string {
  return platform === 'win32' ? name.toUpperCase() : name;
}

/** The variables of an environment, each once: on Windows `PATH` and `Path` are the same, and the last one counts. */
export function variablesOf(
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined) variables[variableName(name, platform)] = value;
  return variables;
}

/** An environment without the variables that the editor sets for itself: `ELECTRON_*` and `VSCODE_*`. */
export function withoutEditorVariables(
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variablesOf(environment, platform)).filter(
      ([name]) => !/^(?:ELECTRON|VSCODE)_/i.test(name),
    ),
  );
}

/** The user's home as Python determines it. On Windows HOME is not used: only some shells set it, for themselves. */
export function homeOf(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  const { HOME, USERPROFILE } = variablesOf(environment, platform);
  return (platform === 'win32' ? USERPROFILE : HOME) ?? os.homedir();
}

/** Replaces `${NAME}` by an earlier variable, else one of the environment, as the Python extension does in `.env`. */
export function expandVariables(
  variables: NodeJS.ProcessEnv,
  environment: Readonly<Record<string, string>>,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const known = variablesOf(environment, platform);
  const expanded: Record<string, string> = {};
  for (const [name, value] of Object.entries(variablesOf(variables, platform))) {
    expanded[name] = value.replaceAll(/\$\{(\w+)\}/g, (_, key: string) => {
      const other = variableName(key, platform);
      return expanded[other] ?? known[other] ?? '';
    });
  }
  return expanded;
}
