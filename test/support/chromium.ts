import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { SetupError, aptInstall, canAptInstall, findProgram, say } from './setup';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'msedge'];
const INSTALLED = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  path.join(process.env['ProgramFiles'] ?? '', 'Google/Chrome/Application/chrome.exe'),
  path.join(process.env['ProgramFiles(x86)'] ?? '', 'Microsoft/Edge/Application/msedge.exe'),
];

function find(): string | undefined {
  return findProgram(NAMES) ?? INSTALLED.find((file) => existsSync(file));
}

/** Path of the installed Chromium or a similar browser. Installs Chromium if there is none, on Debian as root. */
export async function ensureChromium(): Promise<string> {
  const found = find();
  if (found !== undefined) return found;
  if (canAptInstall()) {
    say('Installing Chromium (apt-get) …');
    await aptInstall(['chromium', 'fonts-liberation']);
  }
  const installed = find();
  if (installed === undefined) {
    throw new SetupError(
      'No Chromium or Chrome was found. Install one (Debian: sudo apt-get install chromium) and run this again.',
    );
  }
  return installed;
}
