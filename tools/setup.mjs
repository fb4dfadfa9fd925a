/**
 * Makes sure that this machine has what Graft's tests and command need beside npm: a GPUAdapter for Node (a software
 * Vulkan driver will do) and, with --browser, Chromium and Firefox. On Debian, as root, it installs what is missing; elsewhere it
 * prints the one command to run.
 *   node tools/setup.mjs [--browser]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const wantsBrowser = process.argv.includes('--browser');

/** In a process of its own: a driver that is installed later is only seen by a new one. */
function hasGPUAdapter() {
  const script = `
    const { create } = await import('webgpu');
    const gpu = create([]);
    const gpuAdapter = await gpu.requestAdapter();
    process.exit(gpuAdapter === null ? 1 : 0);`;
  try {
    execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      stdio: 'ignore',
      timeout: 60_000,
    });
    return true;
  } catch {
    return false;
  }
}

function hasChromium() {
  return [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    process.env.CHROME_PATH ?? '',
  ].some((path) => path !== '' && existsSync(path));
}

function hasFirefox() {
  return ['/usr/bin/firefox-esr', '/usr/bin/firefox', process.env.FIREFOX_PATH ?? ''].some(
    (path) => path !== '' && existsSync(path),
  );
}

function debianRelease() {
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    return /^ID=debian$/m.test(release) ? /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] : undefined;
  } catch {
    return undefined;
  }
}

const release = debianRelease();
const isOldMesa = release === 'bookworm';
const backportsFile = '/etc/apt/sources.list.d/bookworm-backports.list';
const backportsLine = 'deb http://deb.debian.org/debian bookworm-backports main';

const missing = [];
if (!hasGPUAdapter()) missing.push('mesa-vulkan-drivers');
if (wantsBrowser && !hasChromium()) missing.push('chromium');
if (wantsBrowser && !hasFirefox()) missing.push('firefox-esr');
if (missing.length === 0) process.exit(0);

// Debian 12's own Mesa (22.3) lacks a feature that Dawn needs.
const fromBackports = isOldMesa && missing.includes('mesa-vulkan-drivers');
const install = (names, ...options) => [
  'apt-get',
  'install',
  '-y',
  '--no-install-recommends',
  ...options,
  ...names,
];
const commands = [
  ['apt-get', 'update'],
  ...(fromBackports ? [install(['mesa-vulkan-drivers'], '-t', 'bookworm-backports')] : []),
  ...(missing.filter((name) => !fromBackports || name !== 'mesa-vulkan-drivers').length > 0
    ? [install(missing.filter((name) => !fromBackports || name !== 'mesa-vulkan-drivers'))]
    : []),
];
const asText = [
  ...(fromBackports && !existsSync(backportsFile) ? [`echo '${backportsLine}' > ${backportsFile}`] : []),
  ...commands.map((command) => command.join(' ')),
].join(' && ');

if (release === undefined || process.getuid?.() !== 0) {
  console.error(`Missing: ${missing.join(', ')}. On Debian, as root, this installs them:\n  ${asText}`);
  process.exit(1);
}
console.error(`Installing ${missing.join(', ')}`);
if (fromBackports && !existsSync(backportsFile)) writeFileSync(backportsFile, `${backportsLine}\n`);
for (const [program, ...args] of commands) {
  execFileSync(program, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}
if (!hasGPUAdapter()) {
  console.error('The driver is installed, yet WebGPU offers no GPUAdapter.');
  process.exit(1);
}
