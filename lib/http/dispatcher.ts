import type { EgressFilter } from './types';
import { failure } from '../errors/failure';
import { EnvHttpProxyAgent, Pool, type Dispatcher } from '../vendor';
import { optional, quietly } from '../values';

export interface ServerChannelKey {
	origin: string;
	/** What tells one credential from another. It is kept, so it is a hash and no key. */
	scope: string;
	ignoreSslIssues: boolean;
	egressFilter?: EgressFilter;
	connectLimitMs?: number;
}

/** The connections to one origin with one credential. */
export interface ServerChannel {
	/** For cheap GETs and short requests of a batch: connections are kept for 4 s, since llama-server closes an idle one after 5 s. */
	readonly keepAlive: Dispatcher;
	/** For generations and Dify runs: used with `reset`, so every request has a connection of its own. */
	readonly fresh: Dispatcher;
}

/** A channel that stays open until it is released. */
export interface ChannelUse extends ServerChannel {
	/** Calling it twice is harmless. */
	release(): void;
}

export const MAX_CONNECT_MS = 10_000;
const MAX_IDLE_CHANNELS = 64;

type AgentOptions = NonNullable<ConstructorParameters<typeof EnvHttpProxyAgent>[0]>;
type Lookup = ReturnType<EgressFilter['createSecureLookup']>;
type LookupDone = Parameters<Lookup>[2];

interface Entry extends ServerChannel {
	lookup: Lookup | undefined;
	/** Requests that have it now. */
	users: number;
}

/** The least recently used one first. */
const channels = new Map<string, Entry>();

/**
 * The channel of an origin and credential, for one request. Channels without a request are kept for the next one, up to
 * 64; one that is in use is never closed, however many there are.
 *
 * @throws {ServerError} of kind `proxy` where the proxy variables of the environment cannot be used
 */
export function useChannel(key: ServerChannelKey): ChannelUse {
	const { origin, scope, ignoreSslIssues, egressFilter, connectLimitMs } = key;
	const id = [origin, scope, ignoreSslIssues, egressFilter !== undefined, connectLimitMs].join('\n');
	const entry = channels.get(id) ?? open(key);
	// The look-up belongs to one execution's helpers; the newest is as good as the first, and does not keep that alive.
	entry.lookup = egressFilter?.createSecureLookup();
	entry.users++;
	channels.delete(id);
	channels.set(id, entry);
	closeOldest();
	let released = false;
	return {
		keepAlive: entry.keepAlive,
		fresh: entry.fresh,
		release: () => {
			if (released) return;
			released = true;
			entry.users--;
			closeOldest();
		},
	};
}

/** Closes every channel. For tests and for a process that ends. */
export async function closeChannels(): Promise<void> {
	const open = [...channels.values()];
	channels.clear();
	await Promise.all(open.flatMap(({ keepAlive, fresh }) => [keepAlive.destroy(), fresh.destroy()]));
}

function closeOldest(): void {
	if (channels.size <= MAX_IDLE_CHANNELS) return;
	for (const [id, entry] of channels) {
		if (entry.users > 0) continue;
		channels.delete(id);
		void entry.keepAlive.close();
		void entry.fresh.close();
		if (channels.size <= MAX_IDLE_CHANNELS) return;
	}
}

function open(key: ServerChannelKey): Entry {
	const entry: { lookup: Lookup | undefined; users: number } = { lookup: undefined, users: 0 };
	const lookup: Lookup | undefined =
		key.egressFilter === undefined
			? undefined
			: (hostname, options, done) => entry.lookup?.(hostname, options, foundIn(hostname, done));
	const options = agentOptions(key, lookup);
	// Without pipelining undici asks the server to close the connection, which costs less than closing it from here.
	return Object.assign(entry, { keepAlive: agent(options), fresh: agent({ ...options, pipelining: 0 }) });
}

/**
 * Node's sockets take an empty list of addresses apart as if it held one. Out of the process's own look-up none comes,
 * but that of n8n's filter may leave none over.
 */
function foundIn(hostname: string, done: LookupDone): LookupDone {
	return (...found: unknown[]) => {
		const [error, addresses] = found;
		const isEmpty = addresses === undefined || (Array.isArray(addresses) && addresses.length === 0);
		if (error || !isEmpty) return done(...(found as never[]));
		const notFound = Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND', hostname });
		done(notFound as never);
	};
}

function agentOptions(
	{ origin, ignoreSslIssues, connectLimitMs = MAX_CONNECT_MS }: ServerChannelKey,
	lookup: Lookup | undefined,
) {
	const tls = { rejectUnauthorized: !ignoreSslIssues };
	const socket = {
		timeout: connectLimitMs,
		// n8n turns address-family selection off for the whole process, and then `localhost` resolves to ::1 only.
		autoSelectFamily: true,
		autoSelectFamilyAttemptTimeout: 250,
	};
	const refuse: Pool.Options['connect'] = (_target, done) => {
		// The variable may hold a password, so it is not shown.
		const about = { code: 'its value is not a URL such as http://proxy:3128' };
		done(failure('proxy', { url: origin }, { about }), null);
	};
	const pool = (address: string | URL, given: object) =>
		new Pool(address, isUnusable(address) ? { ...given, connect: refuse } : given);
	return {
		connect: { ...tls, ...socket, ...optional({ lookup }) },
		requestTls: { ...tls, timeout: connectLimitMs },
		// The proxy itself is the administrator's choice: n8n does not put it through its filter either.
		proxyTls: { ...tls, ...socket },
		factory: pool,
		// The tunnel is part of the connection: a proxy that hangs there must not take the whole first-token limit.
		clientFactory: (proxy, given) => pool(proxy, { ...given, headersTimeout: connectLimitMs }),
		// A tunnel for plain http is what common proxies refuse: squid allows CONNECT to port 443 only.
		proxyTunnel: false,
		// Limits are kept by the Watchdog: undici's own 5 minutes are what breaks slow generations.
		headersTimeout: 0,
		bodyTimeout: 0,
		// Behind the time that a server names in Keep-Alive, if any.
		keepAliveTimeoutThreshold: 1_000,
		keepAliveTimeout: 4_000,
		keepAliveMaxTimeout: 4_000,
	} satisfies AgentOptions;
}

/** Takes the place of a proxy whose variable holds no URL. Nothing is ever sent there. */
const UNUSABLE_PROXY = 'http://unusable.invalid';

function isUnusable(address: string | URL): boolean {
	return new URL(address).origin === UNUSABLE_PROXY;
}

/**
 * undici refuses a variable such as `HTTP_PROXY=proxy:3128` at once, also for a server that NO_PROXY takes out. So such
 * a proxy is an error only when it would be used.
 */
function agent(options: AgentOptions): Dispatcher {
	const [httpProxy, httpsProxy] = [UNUSABLE_PROXY, UNUSABLE_PROXY];
	return (
		tryAgent(options) ??
		tryAgent({ ...options, httpsProxy }) ??
		tryAgent({ ...options, httpProxy }) ??
		new EnvHttpProxyAgent({ ...options, httpProxy, httpsProxy })
	);
}

function tryAgent(options: AgentOptions): Dispatcher | undefined {
	return quietly(() => new EnvHttpProxyAgent(options));
}
