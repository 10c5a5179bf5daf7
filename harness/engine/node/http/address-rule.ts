/**
 * Where requests may go: loopback, or what --allow-host names. The rule looks at the address a name resolved to, at
 * every connect, so that neither a name nor a redirect can lead elsewhere.
 */
import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { monotonicNs } from "../../../determinism/clock.ts";
import { StampedeError } from "../../../errors.ts";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** k6 keeps an answer of the resolver for five minutes. */
const RESOLVED_FOR_NS = 300e9;
const MAX_CACHED_NAMES = 1000;

/** Whether a literal address is the machine itself (IPv4 in IPv6 included). */
export function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && LOOPBACK.check(address, family === 6 ? "ipv6" : "ipv4");
}

const bare = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");

export class AddressRule {
  readonly #allowed: ReadonlySet<string>;
  readonly #resolved = new Map<
    string,
    { readonly addresses: readonly LookupAddress[]; readonly untilNs: number }
  >();

  /** @param allowHosts names or literal addresses that may be sent to besides loopback */
  constructor(allowHosts: readonly string[]) {
    this.#allowed = new Set(allowHosts.map(bare));
  }

  /** @param host as the URL names it  @param address what it resolved to */
  permits(host: string, address: string): boolean {
    return isLoopback(address) || this.#allowed.has(bare(address)) || this.#allowed.has(bare(host));
  }

  /** What to throw when it does not. */
  refusal(host: string, address: string): StampedeError {
    const where = host === address ? address : `${host}, which is ${address}`;
    return new StampedeError(
      "address-refused",
      `requests may go to loopback addresses only; the script sends to ${where}`,
      {
        hint: `if that service is yours and may be loaded, allow it by name: --allow-host ${host}`,
      },
    );
  }

  /** A literal address needs no resolver, so it is checked here; throws the refusal. */
  checkLiteral(host: string): void {
    const address = bare(host);
    if (isIP(address) !== 0 && !this.permits(address, address))
      throw this.refusal(address, address);
  }

  /**
   * node:net's `lookup`: every address of the answer must be permitted, else the whole answer is refused: which one a
   * connection would pick is not ours to guess.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    const answer = (addresses: readonly LookupAddress[]): void => {
      const first = addresses[0];
      if (options.all === true) callback(null, [...addresses]);
      else if (first === undefined)
        callback(
          Object.assign(new Error(`no address for ${hostname}`), { code: "ENOTFOUND" }),
          "",
          0,
        );
      else callback(null, first.address, first.family);
    };
    const known = this.#resolved.get(hostname);
    if (known !== undefined && known.untilNs > monotonicNs()) {
      answer(known.addresses);
      return;
    }
    systemLookup(hostname, { all: true, verbatim: false }, (error, addresses) => {
      if (error !== null) {
        callback(error, "", 0);
        return;
      }
      const refused = addresses.find(({ address }) => !this.permits(hostname, address));
      if (refused !== undefined) {
        callback(this.refusal(hostname, refused.address), "", 0);
        return;
      }
      if (this.#resolved.size >= MAX_CACHED_NAMES) this.#resolved.clear();
      this.#resolved.set(hostname, { addresses, untilNs: monotonicNs() + RESOLVED_FOR_NS });
      answer(addresses);
    });
  };
}
