/** Packages without types of their own; these are the parts that we call. */

declare module 'gltf-validator' {
  export interface ValidationOptions {
    uri?: string;
    maxIssues?: number;
    onlyIssues?: string[];
    writeTimestamp?: boolean;
  }
  export interface ValidationReport {
    issues: { numErrors: number; messages: { code: string; message: string; severity: number; pointer?: string }[] };
  }
  export function validateString(json: string, options?: ValidationOptions): Promise<ValidationReport>;
}

declare module 'draco3dgltf' {
  const draco3d: { createDecoderModule(): Promise<unknown>; createEncoderModule(): Promise<unknown> };
  export default draco3d;
}
