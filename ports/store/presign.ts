/** Presigned addresses by AWS Signature Version 4 in the query string, with the payload's hash and length bound. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';

/** Node's SHA-256 in the shape that the signer asks for. */
class Sha256 {
  private state: Hash | Hmac;
  private readonly secret: Parameters<typeof createHmac>[1] | undefined;

  constructor(secret?: unknown) {
    this.secret = secret as Parameters<typeof createHmac>[1] | undefined;
    this.state = this.fresh();
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.state.update(data instanceof ArrayBuffer ? new Uint8Array(data) : (data as string | NodeJS.ArrayBufferView));
  }

  async digest(): Promise<Uint8Array> {
    return this.state.digest();
  }

  reset(): void {
    this.state = this.fresh();
  }

  private fresh(): Hash | Hmac {
    return this.secret === undefined ? createHash('sha256') : createHmac('sha256', this.secret);
  }
}

export interface PresignerOptions {
  /** Base URL that clients reach the store under; part of the signature. */
  endpoint: string;
  region: string;
  bucket: string;
  accessKey: string;
  secretKey: string;
}

export interface Presigner {
  /** Binds `X-Amz-Content-Sha256` (in the signed query, where MinIO and S3 look for it) and `content-length`. */
  put(key: string, hash: string, sizeBytes: number, expiresSeconds: number): Promise<string>;
  /**
   * `overrides` are S3's `response-*` query parameters. With a `range` the address answers only whoever asks for exactly that
   * (its header is signed).
   */
  get(key: string, expiresSeconds: number, overrides: Record<string, string>, range?: string): Promise<string>;
}

/** Needs no connection: signing is arithmetic. Keys must hold no characters that want escaping. */
export function createPresigner(options: PresignerOptions): Presigner {
  const endpoint = new URL(options.endpoint);
  const signer = new SignatureV4({
    service: 's3',
    region: options.region,
    credentials: { accessKeyId: options.accessKey, secretAccessKey: options.secretKey },
    sha256: Sha256,
    uriEscapePath: false,
  });
  const presign = async (
    method: string,
    key: string,
    headers: Record<string, string>,
    query: Record<string, string>,
    expiresIn: number,
  ): Promise<string> => {
    const path = `${endpoint.pathname.replace(/\/$/, '')}/${options.bucket}/${key}`;
    const request = new HttpRequest({
      method,
      protocol: endpoint.protocol,
      hostname: endpoint.hostname,
      path,
      headers: { host: endpoint.host, ...headers },
      query,
    });
    const signed = await signer.presign(request, { expiresIn });
    const url = new URL(path, endpoint);
    url.search = Object.entries(signed.query ?? {})
      .map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(String(value))}`)
      .join('&');
    return url.href;
  };
  return {
    // The signer moves x-amz-* headers into the query as they are spelt; MinIO looks for exactly this spelling.
    put: (key, hash, sizeBytes, expiresSeconds) =>
      presign('PUT', key, { 'X-Amz-Content-Sha256': hash, 'content-length': String(sizeBytes) }, {}, expiresSeconds),
    get: (key, expiresSeconds, overrides, range) => {
      const headers = { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD', ...(range === undefined ? {} : { range }) };
      return presign('GET', key, headers, overrides, expiresSeconds);
    },
  };
}

/** Signature Version 4 escapes more than `encodeURIComponent` does. */
const encodeRfc3986 = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
