/** How a MinIO server of this project is told to run, at home and at the sites of the lab. */

/**
 * Arguments of the server. `--no-compat` leaves out the MD5 sum that S3 names an object by: it was 1.4 of the 3.4 ms of processor
 * time that a MB took, and every object here is named and checked by its SHA-256.
 * @param address host and port of its S3 API
 */
export const storeArguments = (folder: string, address: string): string[] => [
  'server',
  folder,
  ...['--address', address],
  '--no-compat',
];
