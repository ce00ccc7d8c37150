export declare const NODE_MINIMUM: [number, number];
export declare const PLATFORMS: string[];
export declare const TEMPORAL: {
  version: string;
  serverVersion: string;
  wheel: string;
  sizeBytes: number;
  sha256: Record<string, string>;
};
export declare const MINIO: {
  module: string;
  version: string;
  goMinimum: [number, number];
  sizeBytes: number;
  diskBytes: number;
};
