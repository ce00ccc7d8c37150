/** A key handed over in the address (`#key=…`, as `npm start` prints it) and how it leaves the address again. */

/** @returns the key in a fragment or query, or null */
export function keyInAddress(address: Pick<Location, 'hash' | 'search'>): string | null {
  const fragment = new URLSearchParams(address.hash.replace(/^#/, ''));
  return fragment.get('key') ?? new URLSearchParams(address.search).get('key');
}

/** The address without its key, so that it is neither copied, bookmarked nor sent on. */
export function withoutKey(href: string): string {
  const url = new URL(href);
  url.searchParams.delete('key');
  const fragment = new URLSearchParams(url.hash.replace(/^#/, ''));
  if (fragment.has('key')) {
    fragment.delete('key');
    url.hash = fragment.toString();
  }
  return `${url.pathname}${url.search}${url.hash}`;
}
