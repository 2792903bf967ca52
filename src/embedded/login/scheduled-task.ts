import { loginArguments, loginVariables, type LoginService } from './login-service';
import { xmlText } from './xml-text';

/**
 * A task of the Windows Task Scheduler (schema 1.2) that starts when this user logs in, without more rights than the
 * user has by then. A task cannot set variables, so that cmd.exe does; conhost.exe keeps its window hidden.
 * @param user `DOMAIN\name`
 */
export function scheduledTask(user: string, service: LoginService): string {
  const sets = Object.entries(loginVariables(service)).map(([name, value]) => `set ${name}=${value}&& `);
  const command = [service.nodePath, ...loginArguments(service)].map((word) => `"${word}"`).join(' ');
  const words = `--headless cmd.exe /d /s /c "${sets.join('')}${command}"`;
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Notebook Executions: runs scheduled notebooks</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <UserId>${xmlText(user)}</UserId>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${xmlText(user)}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>255</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>%SystemRoot%\\System32\\conhost.exe</Command>
      <Arguments>${xmlText(words)}</Arguments>
    </Exec>
  </Actions>
</Task>
`;
}
