/** A real server with two studios that know nothing of each other, and a way to call it as a script would. */
import { addStudio } from '../../../test/support/rows.ts';
import { openTestApi, type TestApi } from './openApi.ts';

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by the tests
  body: any;
}

interface Studio {
  studioId: string;
  /** Of a TD. */
  key: string;
}

interface TwoStudios {
  farm: TestApi;
  north: Studio;
  south: Studio;
  /** Redirects are answers too. @param key null: none */
  call(
    key: string | null,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
}

/** Opens them at the head of a test file, whose end closes `farm`. */
export async function openTwoStudios(): Promise<TwoStudios> {
  const farm = await openTestApi();
  const studio = async (slug: string): Promise<Studio> => {
    const studioId = await addStudio(farm.record.database, slug);
    return { studioId, key: await farm.key(studioId, 'td') };
  };
  return {
    farm,
    north: await studio('north'),
    south: await studio('south'),
    async call(key, method, path, body, headers = {}) {
      const response = await fetch(farm.url + path, {
        method,
        redirect: 'manual',
        headers: {
          ...(key ? { authorization: `Bearer ${key}` } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json');
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    },
  };
}
