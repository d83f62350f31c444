import { createConnector } from './connector';
import type { Endpoint, LookupCallback, SecureLookup } from './types';
import type { Dispatcher } from '../vendor';
import { env, EnvHttpProxyAgent, Pool, TunnelPool } from '../vendor';
import { getOwn } from '../values/own-properties';
import { tryOrUndefined } from '../values/try-or-undefined';

/** The connection pools for one origin with one credential. */
interface ConnectionPools {
	/** For requests that may be repeated: connections are kept for 4 s, since llama-server closes idle ones after 5 s. */
	readonly keepAlive: Dispatcher;
	/** For generations and Dify runs: every request has its own connection. */
	readonly singleUse: Dispatcher;
}

/** Connection pools that stay open until they are released. */
interface PoolLease extends ConnectionPools {
	/** Whether the server has accepted a connection since, with TLS if it has it. An open one may have been used again. */
	hasConnected(): boolean;
	release(): void;
}

/** Shorter than the timeout of probes, so that an error names a missing connection as the cause. */
export const MAX_CONNECT_MS = 8_000;

const MAX_IDLE_ENTRIES = 64;

type AgentOptions = NonNullable<ConstructorParameters<typeof EnvHttpProxyAgent>[0]>;

interface PoolEntry extends ConnectionPools {
	lookup: SecureLookup | undefined;
	/** Requests that use the pools. */
	activeRequests: number;
	/** That the server has accepted. */
	connections: number;
}

/** Least recently used first. */
const poolEntries = new Map<string, PoolEntry>();

/**
 * The pools of an origin and credential, for one request. Up to 64 idle entries are kept; pools in use are never
 * closed.
 */
export function acquirePools(endpoint: Endpoint): PoolLease {
	const id = `${endpoint.id} ${endpoint.egressFilter !== undefined}`;
	const entry = poolEntries.get(id) ?? createPoolEntry(endpoint);
	// The lookup references the helpers of one execution. Replacing it lets older ones be freed.
	entry.lookup = endpoint.egressFilter?.createSecureLookup();
	entry.activeRequests++;
	poolEntries.delete(id);
	poolEntries.set(id, entry);
	closeOldestIdle();
	const { connections } = entry;
	return {
		hasConnected: () => entry.connections > connections,
		keepAlive: entry.keepAlive,
		singleUse: entry.singleUse,
		release: () => {
			entry.activeRequests--;
			closeOldestIdle();
		},
	};
}

/** Closes all pools. For tests, and at the end of a process. */
export async function closePools(): Promise<void> {
	const entries = [...poolEntries.values()];
	poolEntries.clear();
	await Promise.all(
		entries.flatMap(({ keepAlive, singleUse }) => [keepAlive.destroy(), singleUse.destroy()]),
	);
}

function closeOldestIdle() {
	if (poolEntries.size <= MAX_IDLE_ENTRIES) return;
	for (const [id, entry] of poolEntries) {
		if (entry.activeRequests > 0) continue;
		poolEntries.delete(id);
		void entry.keepAlive.close();
		void entry.singleUse.close();
		if (poolEntries.size <= MAX_IDLE_ENTRIES) return;
	}
}

function createPoolEntry({ url, ignoreSslIssues, egressFilter }: Endpoint) {
	const lookup: SecureLookup | undefined = egressFilter
		? (hostname, options, done) =>
				entry.lookup?.(hostname, options, rejectEmptyLookup(hostname, done))
		: undefined;
	const onConnect = () => void entry.connections++;
	const options = toAgentOptions(ignoreSslIssues, { lookup, onConnect });
	// With `pipelining: 0`, undici sends `connection: close`, which is cheaper than closing the connection here.
	const entry: PoolEntry = {
		keepAlive: createAgent(url.origin, options),
		singleUse: createAgent(url.origin, { ...options, pipelining: 0 }),
		lookup: undefined,
		activeRequests: 0,
		connections: 0,
	};
	return entry;
}

/**
 * Turns an empty list of addresses, which crashes Node's sockets, into ENOTFOUND. The system lookup never returns one,
 * but n8n's filter may.
 */
function rejectEmptyLookup(hostname: string, done: LookupCallback): LookupCallback {
	return (...results: unknown[]) => {
		const [error, addresses] = results;
		const isEmpty = addresses === undefined || (Array.isArray(addresses) && addresses.length === 0);
		if (error || !isEmpty) return done(...(results as never[]));
		const notFoundError = Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), {
			code: 'ENOTFOUND',
			hostname,
		});
		done(notFoundError as never);
	};
}

/** What the pools of an entry have in common. */
interface SharedByPools {
	lookup: SecureLookup | undefined;
	/** Called for each connection to the server itself, or through a tunnel. */
	onConnect(): void;
}

function toAgentOptions(ignoreSslIssues: boolean, { lookup, onConnect }: SharedByPools) {
	// HTTP/2 is neither needed nor bundled.
	const tls = { rejectUnauthorized: !ignoreSslIssues, allowH2: false };
	const socket = {
		timeout: MAX_CONNECT_MS,
		// n8n disables this for the whole process, and then `localhost` resolves only to ::1.
		autoSelectFamily: true,
		autoSelectFamilyAttemptTimeout: 250,
	};
	return {
		connect: createConnector({ ...tls, ...socket, lookup }),
		requestTls: { ...tls, timeout: MAX_CONNECT_MS },
		// Without the filter: the proxy is the administrator's choice, which n8n does not filter either.
		proxyTls: { ...tls, ...socket },
		factory: (address: string | URL, options: Pool.Options) =>
			new Pool(address, options).on('connect', onConnect),
		// Opening the tunnel is part of connecting: a hanging proxy must not use up the first-token timeout.
		clientFactory: (proxy: string | URL, options: Pool.Options) =>
			new TunnelPool(proxy, { ...options, headersTimeout: MAX_CONNECT_MS }),
		allowH2: false,
		// Common proxies reject a tunnel for plain http: squid allows CONNECT only to port 443.
		proxyTunnel: false,
		// The Watchdog applies the timeouts: undici's default of 5 minutes would break slow generations.
		headersTimeout: 0,
		bodyTimeout: 0,
		// Safety margin for the time that a server names in Keep-Alive.
		keepAliveTimeoutThreshold: 1_000,
		keepAliveTimeout: 4_000,
		keepAliveMaxTimeout: 4_000,
	} satisfies AgentOptions;
}

/**
 * The proxies of the environment, as n8n's own requests read them (proxy-from-env): by the scheme of the URL, otherwise
 * ALL_PROXY. undici also uses HTTP_PROXY for https URLs.
 */
function createAgent(origin: string, options: AgentOptions): Dispatcher {
	const allProxy = env.all_proxy || env.ALL_PROXY;
	const isEncrypted = origin.startsWith('https:');
	const httpProxy = isEncrypted ? '' : toProxyUrl(env.http_proxy || env.HTTP_PROXY || allProxy);
	const httpsProxy = toProxyUrl(env.https_proxy || env.HTTPS_PROXY || allProxy);
	return new EnvHttpProxyAgent({ ...options, httpProxy, httpsProxy });
}

/** Empty if not set: undefined would make undici read the variables itself. */
function toProxyUrl(variable = '') {
	const address = variable.replace(/^(?!https?:)(?:\w*:\/\/)?(?=.)/, 'http://');
	return URL.canParse(address) ? address : '';
}

const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [
	name,
	name.toUpperCase(),
]);

/** The credentials sent to the proxies of the environment, so that they are masked like keys. */
export function getProxyHeaders(): Record<string, string> {
	return Object.fromEntries(
		PROXY_VARIABLES.map((name) => [name, toBasicAuthorization(toProxyUrl(getOwn(env, name)))]),
	);
}

function toBasicAuthorization(proxy: string) {
	if (!proxy.includes('@')) return '';
	const { username, password } = new URL(proxy);
	const pair = `${username}:${password}`;
	const decoded = tryOrUndefined(() => decodeURIComponent(pair)) ?? pair;
	return `Basic ${Buffer.from(decoded).toString('base64')}`;
}
