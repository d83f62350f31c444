import type { EgressFilter } from './types';
import { failure } from '../errors/failure';
import { type Dispatcher, env, EnvHttpProxyAgent, Pool, TunnelPool } from '../vendor';
import { optional, quietly } from '../values';

export interface ServerChannelKey {
	origin: string;
	/** Identifies the credential. A hash, because it is stored. */
	scope: string;
	ignoreSslIssues: boolean;
	egressFilter?: EgressFilter;
}

/** The connection pools for one origin with one credential. */
interface ServerChannel {
	/** For cheap GETs and short requests of a batch: connections are kept for 4 s, since llama-server closes an idle one after 5 s. */
	readonly keepAlive: Dispatcher;
	/** For generations and Dify runs: used with `reset`, so every request has its own connection. */
	readonly fresh: Dispatcher;
	/** Whether a connection of `keepAlive` is open. The server may be closing it already. */
	hasOpenConnection(): boolean;
}

/** A channel that stays open until it is released. */
interface ChannelUse extends ServerChannel {
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
	/** Number of requests that use it. */
	users: number;
}

/** Least recently used first. */
const channels = new Map<string, Entry>();

/**
 * The channel of an origin and credential, for one request. Up to 64 idle channels are kept; one in use is never
 * closed.
 *
 * @throws {ServerError} of kind `proxy` if the proxy variables of the environment are invalid
 */
export function useChannel(key: ServerChannelKey): ChannelUse {
	const { origin, scope, ignoreSslIssues, egressFilter } = key;
	const id = [origin, scope, ignoreSslIssues, egressFilter !== undefined].join('\n');
	const entry = channels.get(id) ?? createEntry(key);
	// The lookup holds one execution's helpers. Using the newest one lets the older be freed.
	entry.lookup = egressFilter?.createSecureLookup();
	entry.users++;
	channels.delete(id);
	channels.set(id, entry);
	closeOldest();
	let released = false;
	return {
		keepAlive: entry.keepAlive,
		fresh: entry.fresh,
		hasOpenConnection: entry.hasOpenConnection,
		release: () => {
			if (released) return;
			released = true;
			entry.users--;
			closeOldest();
		},
	};
}

/** Closes every channel. For tests, and at the end of a process. */
export async function closeChannels(): Promise<void> {
	const entries = [...channels.values()];
	channels.clear();
	await Promise.all(
		entries.flatMap(({ keepAlive, fresh }) => [keepAlive.destroy(), fresh.destroy()]),
	);
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

function createEntry(key: ServerChannelKey): Entry {
	const entry: { lookup: Lookup | undefined; users: number } = { lookup: undefined, users: 0 };
	const lookup: Lookup | undefined =
		key.egressFilter === undefined
			? undefined
			: (hostname, options, done) => entry.lookup?.(hostname, options, foundIn(hostname, done));
	const options = agentOptions(key, lookup);
	const openConnections = new OpenConnections();
	// With `pipelining: 0`, undici asks the server to close the connection, which is cheaper than closing it here.
	return Object.assign(entry, {
		keepAlive: agent(key.origin, {
			...options,
			factory: (...target) => openConnections.countIn(options.factory(...target)),
			clientFactory: (...target) => openConnections.countIn(options.clientFactory(...target)),
		}),
		fresh: agent(key.origin, { ...options, pipelining: 0 }),
		hasOpenConnection: () => openConnections.number > 0,
	});
}

/** Counts the open connections of pools. */
class OpenConnections {
	number = 0;

	countIn<P extends Pool>(pool: P): P {
		pool.on('connect', () => this.number++);
		pool.on('disconnect', () => this.number--);
		return pool;
	}
}

/**
 * Turns an empty list of addresses, which crashes Node's sockets, into ENOTFOUND. The system's lookup never gives one,
 * but n8n's filter may.
 */
function foundIn(hostname: string, done: LookupDone): LookupDone {
	return (...found: unknown[]) => {
		const [error, addresses] = found;
		const isEmpty = addresses === undefined || (Array.isArray(addresses) && addresses.length === 0);
		if (error || !isEmpty) return done(...(found as never[]));
		const notFound = Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), {
			code: 'ENOTFOUND',
			hostname,
		});
		done(notFound as never);
	};
}

function agentOptions({ origin, ignoreSslIssues }: ServerChannelKey, lookup: Lookup | undefined) {
	// HTTP/2 is neither needed nor bundled.
	const tls = { rejectUnauthorized: !ignoreSslIssues, allowH2: false };
	const socket = {
		timeout: MAX_CONNECT_MS,
		// n8n disables this for the whole process, and then `localhost` resolves only to ::1.
		autoSelectFamily: true,
		autoSelectFamilyAttemptTimeout: 250,
	};
	const refuse: Pool.Options['connect'] = (_target, done) => {
		// The variable may contain a password, so it is not shown.
		const about = { code: 'its value is not a URL such as http://proxy:3128' };
		done(failure('proxy', { url: origin }, { about }), null);
	};
	const checked = (address: string | URL, options: Pool.Options) =>
		isUnusable(address) ? { ...options, connect: refuse } : options;
	return {
		connect: { ...tls, ...socket, ...optional({ lookup }) },
		requestTls: { ...tls, timeout: MAX_CONNECT_MS },
		// Without the filter: the proxy is the administrator's choice, which n8n does not filter either.
		proxyTls: { ...tls, ...socket },
		factory: (address: string | URL, options: Pool.Options) =>
			new Pool(address, checked(address, options)),
		// Opening the tunnel is part of connecting: a hanging proxy must not use up the first-token limit.
		clientFactory: (proxy: string | URL, options: Pool.Options) =>
			new TunnelPool(proxy, { ...checked(proxy, options), headersTimeout: MAX_CONNECT_MS }),
		allowH2: false,
		// Common proxies refuse a tunnel for plain http: squid allows CONNECT only to port 443.
		proxyTunnel: false,
		// The Watchdog applies the limits: undici's default of 5 minutes would break slow generations.
		headersTimeout: 0,
		bodyTimeout: 0,
		// Safety margin for the time that a server names in Keep-Alive.
		keepAliveTimeoutThreshold: 1_000,
		keepAliveTimeout: 4_000,
		keepAliveMaxTimeout: 4_000,
	} satisfies AgentOptions;
}

/** Stands for a proxy with an invalid variable. Nothing is ever sent there. */
const UNUSABLE_PROXY = 'http://unusable.invalid';

function isUnusable(address: string | URL): boolean {
	return new URL(address).origin === UNUSABLE_PROXY;
}

/**
 * The proxies of the environment, as n8n's own requests read them (proxy-from-env): by the scheme of the address, else
 * ALL_PROXY. undici takes HTTP_PROXY for https addresses, too, and throws at once for a variable such as
 * `HTTP_PROXY=proxy:3128`, even if NO_PROXY excludes the server; so such a proxy is an error only when it would be used.
 */
function agent(origin: string, options: AgentOptions): Dispatcher {
	const all = env.all_proxy || env.ALL_PROXY;
	const isEncrypted = origin.startsWith('https:');
	const httpProxy = isEncrypted ? '' : usable(env.http_proxy || env.HTTP_PROXY || all);
	const httpsProxy = usable(env.https_proxy || env.HTTPS_PROXY || all);
	return new EnvHttpProxyAgent({ ...options, httpProxy, httpsProxy });
}

/** Empty where there is none: undefined would make undici read the variables itself. */
function usable(proxy = ''): string {
	if (proxy === '') return '';
	const protocol = quietly(() => new URL(proxy).protocol);
	return protocol === 'http:' || protocol === 'https:' ? proxy : UNUSABLE_PROXY;
}

const VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];

/** What the proxies of the environment get as their user and password: an echo of it is masked as a key is. */
export function proxyHeaders(): Record<string, string> {
	const values = VARIABLES.map((name) => env[name] ?? '').filter((value) => value.includes('@'));
	const pairs = values.flatMap((value, index) => {
		const authorization = authorizationOf(value);
		return authorization === undefined ? [] : [[`proxy-authorization-${index}`, authorization]];
	});
	return Object.fromEntries(pairs) as Record<string, string>;
}

function authorizationOf(address: string): string | undefined {
	const url = quietly(() => new URL(address));
	if (url === undefined || url.password === '') return undefined;
	const pair = `${decoded(url.username)}:${decoded(url.password)}`;
	return `Basic ${Buffer.from(pair).toString('base64')}`;
}

function decoded(part: string): string {
	return quietly(() => decodeURIComponent(part)) ?? part;
}
