import { isIPv4, isIPv6 } from 'node:net';

/**
 * The address of a client, for counting its calls: an IPv4 address, or the /64 network of an IPv6 address, since whoever
 * has one of its addresses has them all. Google's front end puts the address that it sees at the end of
 * `X-Forwarded-For`; everything to the left of it came with the request and may be made up. Proxies of your own in front
 * of it add one address each. Where there are fewer addresses than that, the last one counts: it is the one that the
 * client did not write. Without any, and on the emulators, the address of the connection does.
 */
export function clientAddress(forwardedFor: string | undefined, peer: string | undefined, ownProxies: number): string {
  const hops = (forwardedFor ?? '').split(',').map((hop) => hop.trim()).filter((hop) => hop !== '');
  return networkOf(hops.at(-1 - ownProxies) ?? hops.at(-1) ?? peer ?? '');
}

/** What is no address is one caller, together with everything else that is none. */
function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1] ?? address;
  if (isIPv4(mapped)) return mapped;
  if (!isIPv6(address)) return 'unknown';
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const groups = head === '' ? [] : head.split(':');
  const written = groups.length + (tail ? tail.split(':').length + Number(tail.includes('.')) : 0);
  const whole = tail === undefined ? groups : [...groups, ...Array<string>(8 - written).fill('0'), ...(tail === '' ? [] : tail.split(':'))];
  return `${whole.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
