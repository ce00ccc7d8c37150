/** Worker that computes SHA-256 of files piece by piece, so that the page stays responsive and memory small. */
import { createSHA256 } from 'hash-wasm';

export interface HashRequest {
  key: number;
  file: File;
}

/** Progress while `hash` and `error` are both absent. */
export interface HashAnswer {
  key: number;
  bytes: number;
  hash?: string;
  error?: string;
}

const scope = self as unknown as {
  onmessage: ((message: MessageEvent<HashRequest>) => void) | null;
  postMessage: (answer: HashAnswer) => void;
};
let queue: Promise<void> = Promise.resolve();

scope.onmessage = ({ data }) => {
  queue = queue.then(() => hash(data));
};

async function hash({ key, file }: HashRequest): Promise<void> {
  let bytes = 0;
  let told = 0;
  try {
    const sha256 = await createSHA256();
    sha256.init();
    const reader = file.stream().getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      sha256.update(value);
      bytes += value.length;
      if (bytes - told >= 8 * 1024 * 1024) {
        told = bytes;
        scope.postMessage({ key, bytes });
      }
    }
    scope.postMessage({ key, bytes, hash: sha256.digest('hex') });
  } catch (error) {
    scope.postMessage({ key, bytes, error: error instanceof Error ? error.message : String(error) });
  }
}
