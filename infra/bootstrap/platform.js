/** Refuses, by name, machines on which the farm cannot run. */
import { SetupError } from './errors.js';
import { NODE_MINIMUM, PLATFORMS } from './versions.js';

/** What is asked about a machine; everything can be passed in, so that a test can be any machine. */
export function thisMachine() {
  const header = process.platform === 'linux' ? process.report?.getReport?.().header : undefined;
  return {
    platform: process.platform,
    arch: process.arch,
    node: process.versions.node,
    /** Version of glibc; undefined on Linux means another C library, such as musl. */
    glibc: header?.glibcVersionRuntime,
  };
}

/** @throws SetupError `PlatformUnsupported` that names what this machine is. */
export function checkPlatform(machine = thisMachine()) {
  const { platform, arch, node, glibc } = machine;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const [leastMajor, leastMinor] = NODE_MINIMUM;
  if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
    throw new SetupError(
      'PlatformUnsupported',
      `Node ${node} is too old.`,
      `Install Node ${leastMajor}.${leastMinor} or later, for example from https://nodejs.org.`,
    );
  }
  if (!PLATFORMS.includes(`${platform}-${arch}`)) {
    throw new SetupError(
      'PlatformUnsupported',
      `${platform} on ${arch} is not supported.`,
      'Use Linux or macOS on x86-64 or arm64; on Windows use WSL 2.',
    );
  }
  if (platform === 'linux' && !glibc) {
    throw new SetupError(
      'PlatformUnsupported',
      'Linux with musl (such as Alpine) is not supported: the Temporal SDK has no build for it.',
      'Use a distribution with glibc, such as Debian, Ubuntu or Fedora.',
    );
  }
}
