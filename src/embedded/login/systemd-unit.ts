import { loginArguments, loginVariables, type LoginService } from './login-service';

/**
 * A systemd user unit (systemd.service(5)). Stopping it leaves the runners running: executions outlive the service. It
 * is started again after a failure, once a minute.
 */
export function systemdUnit(service: LoginService): string {
  const command = [service.nodePath, ...loginArguments(service)].map(quoted).join(' ');
  const variables = Object.entries(loginVariables(service)).map(
    ([name, value]) => `Environment=${quoted(`${name}=${value}`)}\n`,
  );
  return `[Unit]
Description=Notebook Executions: runs scheduled notebooks
StartLimitIntervalSec=0

[Service]
ExecStart=${command}
${variables.join('')}KillMode=process
Restart=on-failure
RestartSec=60

[Install]
WantedBy=default.target
`;
}

/** A word of a command line: quotes and backslashes are escaped, `%` is a specifier, `$` a variable. */
function quoted(word: string): string {
  const escaped = word
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$');
  return `"${escaped}"`;
}
