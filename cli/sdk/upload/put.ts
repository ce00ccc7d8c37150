/** Puts bytes under a presigned address. Node's own client: `fetch` takes several times the processor time for a large body. */
import http from 'node:http';
import https from 'node:https';

export interface PutAnswer {
  status: number;
  /** The beginning of what the store said, when it refused. */
  text: string;
}

/** A connection on which nothing moves for this long is given up. */
const SILENCE_MS = 60_000;

/** Sends bodies over connections that are kept. Close it. */
export class Putter {
  readonly #agents = { 'http:': new http.Agent({ keepAlive: true }), 'https:': new https.Agent({ keepAlive: true }) };

  /** Resolves whatever the store answers; rejects when no answer comes, or with the signal's reason. */
  put(url: string, headers: Record<string, string>, body: Uint8Array, signal: AbortSignal): Promise<PutAnswer> {
    const target = new URL(url);
    const secure = target.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(target, {
        method: 'PUT',
        agent: this.#agents[secure ? 'https:' : 'http:'],
        headers: { ...headers, 'content-length': body.length },
        signal,
      });
      request.setTimeout(SILENCE_MS, () => request.destroy(new Error('The store says nothing.')));
      request.on('error', reject);
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          if (text.length < 1_000) text += piece;
        });
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: text.slice(0, 400) }));
      });
      request.end(body);
    });
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}
