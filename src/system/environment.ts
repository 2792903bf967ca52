import * as os from 'node:os';

/** The name of a variable as it is handed on. Windows does not tell the case of names apart: there it is in upper case, as in Python. */
function variableName(name: string, platform: NodeJS.Platform = process.platform): string {
  return platform === 'win32' ? name.toUpperCase() : name;
}

/** The variables of an environment, each once: on Windows `PATH` and `Path` are the same one, and the last of them counts. */
export function variablesOf(
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined) variables[variableName(name, platform)] = value;
  }
  return variables;
}

/** An environment without what the editor set for itself: `ELECTRON_*` and `VSCODE_*`. */
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

/** The person's home as Python sees it. On Windows HOME is only what some shells set for themselves. */
export function homeOf(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  const { HOME, USERPROFILE } = variablesOf(environment, platform);
  return (platform === 'win32' ? USERPROFILE : HOME) ?? os.homedir();
}

/** Replaces `${NAME}` by the variables' own earlier ones and the environment's, as the Python extension does in `.env`. */
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
