import { createHash } from 'node:crypto';

import type { EgressFilter } from './types';
import { failure } from '../errors/failure';
import { RequestQueue } from './queue';
import { EnvHttpProxyAgent, type Dispatcher } from './vendor';

export interface ServerChannelKey {
	origin: string;
	/** Everything that tells one credential from another: header values, TLS setting. Only its hash is kept. */
	scope: string;
	ignoreSslIssues: boolean;
	egressFilter?: EgressFilter;
	connectLimitMs?: number;
}

/** What is shared by all requests to one origin with one credential. */
export interface ServerChannel {
	/** For cheap GETs: connections are kept for 4 s, since llama-server closes an idle one after 5 s. */
	readonly keepAlive: Dispatcher;
	/** For generations and Dify runs: used with `reset`, so every request has a connection of its own. */
	readonly fresh: Dispatcher;
	readonly queue: RequestQueue;
}

export const CONNECT_LIMIT_MS = 10_000;
const MOST_CHANNELS = 64;

type Lookup = ReturnType<EgressFilter['createSecureLookup']>;

interface Entry extends ServerChannel {
	lookup: Lookup | undefined;
}

const channels = new Map<string, Entry>();

/**
 * The channel of an origin and credential. Channels live in a cache that may vanish at any time; the least recently used
 * one is closed (its running requests finish) when there are more than 64.
 */
export function channelFor(key: ServerChannelKey): ServerChannel {
	const id = createHash('sha256')
		.update(
			[
				key.origin,
				key.scope,
				String(key.ignoreSslIssues),
				String(key.egressFilter !== undefined),
				String(key.connectLimitMs),
			].join('\n'),
		)
		.digest('base64');
	const entry = channels.get(id) ?? open(key);
	// The look-up belongs to one execution's helpers; the newest is as good as the first, and does not keep that alive.
	entry.lookup = key.egressFilter?.createSecureLookup();
	channels.delete(id);
	channels.set(id, entry);
	if (channels.size > MOST_CHANNELS) closeOldest();
	return entry;
}

/** Closes every channel. For tests and for a process that ends. */
export async function closeChannels(): Promise<void> {
	const open = [...channels.values()];
	channels.clear();
	await Promise.all(open.flatMap(({ keepAlive, fresh }) => [keepAlive.destroy(), fresh.destroy()]));
}

function closeOldest(): void {
	for (const [id, entry] of channels) {
		if (entry.queue.active > 0 || entry.queue.length > 0) continue;
		channels.delete(id);
		void entry.keepAlive.close();
		void entry.fresh.close();
		return;
	}
}

function open(key: ServerChannelKey): Entry {
	const entry: { lookup: Lookup | undefined } = { lookup: undefined };
	const tls = { rejectUnauthorized: !key.ignoreSslIssues };
	const socket = {
		timeout: key.connectLimitMs ?? CONNECT_LIMIT_MS,
		// n8n turns address-family selection off for the whole process, and then `localhost` resolves to ::1 only.
		autoSelectFamily: true,
		autoSelectFamilyAttemptTimeout: 250,
	};
	const lookup: Lookup | undefined =
		key.egressFilter === undefined ? undefined : (hostname, options, done) => entry.lookup?.(hostname, options, done);
	const options = {
		connect: { ...tls, ...socket, ...(lookup === undefined ? {} : { lookup }) },
		requestTls: tls,
		// The proxy itself is the administrator's choice: n8n does not put it through its filter either.
		proxyTls: { ...tls, ...socket },
		// A tunnel for plain http is what common proxies refuse: squid allows CONNECT to port 443 only.
		proxyTunnel: false,
		// Limits are kept by the Watchdog: undici's own 5 minutes are what breaks slow generations.
		headersTimeout: 0,
		bodyTimeout: 0,
		keepAliveTimeout: 4_000,
		keepAliveMaxTimeout: 4_000,
	};
	try {
		return Object.assign(entry, {
			keepAlive: new EnvHttpProxyAgent(options),
			fresh: new EnvHttpProxyAgent(options),
			queue: new RequestQueue(),
		});
	} catch {
		// The environment is all that can be wrong here. It may hold a password, so it is not shown.
		throw failure(
			'proxy',
			{ url: key.origin },
			{ about: { code: 'its value is not a URL such as http://proxy:3128' } },
		);
	}
}
