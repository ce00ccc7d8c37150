/** How a MinIO server of this project is told to run: at home, at the sites of the lab, in tests. */

interface StoreProgram {
  /** Where objects are kept. */
  folder: string;
  /** A folder of its own for what it is told, so that a user's is left alone. */
  configFolder: string;
  /** Host and port of its S3 API. */
  address: string;
  accessKey: string;
  secretKey: string;
}

/** Region that all these servers give themselves. */
export const STORE_REGION = 'us-east-1';

/**
 * Arguments and variables of the server. `--no-compat` leaves out the MD5 sum that S3 names an object by: it was 1.4 of the 3.4 ms of
 * processor time that a MB took, and every object here is named and checked by its SHA-256.
 */
export function storeProgram({ folder, configFolder, address, accessKey, secretKey }: StoreProgram): {
  args: string[];
  env: Record<string, string>;
} {
  return {
    args: ['server', folder, '--address', address, '--no-compat'],
    env: {
      ...{ MINIO_ROOT_USER: accessKey, MINIO_ROOT_PASSWORD: secretKey, MINIO_REGION: STORE_REGION },
      ...{ MINIO_BROWSER: 'off', MINIO_UPDATE: 'off', MINIO_CONFIG_DIR: configFolder },
    },
  };
}
