import type { Connection } from '../../http/connection';
import type { ConnectionSettings, ServerAddress } from '../../http/types';
import { ServerError } from '../../errors/server-error';
import { failure } from '../../errors/failure';
import type { Alternative, Expectations, Observations, Probe } from '../observations';
import { describeFailure, elapsed, send } from './probe';
import { optional, messageOf } from '../../values';

/** How to reach what is checked. */
export interface Target {
	service: Observations['service'];
	/** @throws {ServerError} where the address or the key cannot be used at all */
	connect(more: Pick<ConnectionSettings, 'connectLimitMs'>): Connection;
	/** A connection without any key to another address, under the same network rules. */
	connectElsewhere(baseUrl: string, more: Pick<ConnectionSettings, 'connectLimitMs'>): Connection;
	keySet: boolean;
	authentication: Observations['authentication'];
	maxConcurrentRequests: number;
	keyType?: Observations['keyType'];
}

export interface CheckOptions {
	expectations?: Expectations;
	/** Timeout of each request, default 2.5 s. */
	timeLimitMs?: number;
	/** Timeout of each alternative address, default 1 s: one that drops packets must not take all of the time. */
	elsewhereLimitMs?: number;
	/**
	 * Also ask `/slots`. It wakes a sleeping llama-server and keeps it from falling asleep
	 * (docs/protocols/llama-server.md 2.1).
	 */
	readSlots?: boolean;
	/** Also let Dify search a knowledge base once, which asks its embedding and rerank models. */
	askModels?: boolean;
	signal?: AbortSignal;
}

export const TIME_LIMIT_MS = 2_500;
const ELSEWHERE_LIMIT_MS = 1_000;

/** What probes need. */
export interface ProbeContext {
	target: Target;
	connection: Connection;
	options: CheckOptions;
	/** One request, with its own timeout. What is only looked at is asked once. */
	ask(url: string, more?: { json?: unknown; withoutKey?: boolean }): Promise<Probe>;
	/** A request to another address, without the key. */
	askElsewhere(baseUrl: string, expects: Alternative['expects']): Promise<Alternative>;
}

/** Results of all probes, as plain data. */
export type ProbeResults = Pick<Observations, 'probes' | 'perModel' | 'alternatives'>;

/**
 * Probes a server without a generation, and without loading or waking a model. Requests run in parallel where that is
 * safe.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function observe(
	target: Target,
	probe: (context: ProbeContext) => Promise<ProbeResults>,
	options: CheckOptions = {},
): Promise<Observations> {
	const startedAt = performance.now();
	const known = knownOf(target, options);
	const connection = connected(target, options);
	if (connection instanceof ServerError)
		return {
			...known,
			...NOTHING,
			rejected: describeFailure(connection),
			checkMs: elapsed(startedAt),
		};
	const results = await probe(contextOf(target, connection, options));
	if (options.signal?.aborted) throw failure('aborted', connection.contextOf(connection.url.api));
	const { typed, origin, root, api } = connection.url;
	return {
		...known,
		url: { typed, origin, root, api },
		...results,
		checkMs: elapsed(startedAt),
	};
}

const NOTHING: ProbeResults = { probes: {}, perModel: {}, alternatives: [] };

/** What is known without a request. */
function knownOf(target: Target, { expectations = {}, askModels }: CheckOptions) {
	const { service, keySet, authentication, maxConcurrentRequests, keyType } = target;
	return {
		service,
		keySet,
		authentication,
		maxConcurrentRequests,
		...optional({ keyType, asksModels: askModels }),
		expectations,
	};
}

/** What must answer at another address. */
const EXPECTED_ROUTE: Record<
	Alternative['expects'],
	(baseUrl: string, url: ServerAddress) => string
> = {
	anything: (_baseUrl, { root }) => `${root}/health`,
	models: (_baseUrl, { api }) => `${api}/models`,
	dify: (baseUrl) => `${baseUrl}/info`,
};

function contextOf(target: Target, connection: Connection, options: CheckOptions): ProbeContext {
	const { timeLimitMs = TIME_LIMIT_MS, elsewhereLimitMs = ELSEWHERE_LIMIT_MS, signal } = options;
	const otherLimitMs = Math.min(elsewhereLimitMs, timeLimitMs);
	const withoutKey = (baseUrl: string) =>
		target.connectElsewhere(baseUrl, { connectLimitMs: otherLimitMs });
	const looked = new Map<string, Promise<Probe>>();
	const ask: ProbeContext['ask'] = async (url, { json, withoutKey: isKeyless = false } = {}) => {
		if (isKeyless) {
			const other = withoutKey(connection.url.typed);
			return await send(other, url, { timeoutMs: otherLimitMs, signal });
		}
		const options = { timeoutMs: timeLimitMs, signal, json };
		if (json !== undefined) return await send(connection, url, options);
		const look = looked.get(url) ?? send(connection, url, options);
		looked.set(url, look);
		return await look;
	};
	const askElsewhere: ProbeContext['askElsewhere'] = async (baseUrl, expects) => {
		const other = withoutKey(baseUrl);
		const url = EXPECTED_ROUTE[expects](baseUrl, other.url);
		return { baseUrl, expects, probe: await send(other, url, { timeoutMs: otherLimitMs, signal }) };
	};
	return { target, connection, options, ask, askElsewhere };
}

/** The connection, or why there is none. */
function connected(target: Target, { timeLimitMs = TIME_LIMIT_MS }: CheckOptions) {
	try {
		// undici counts connecting in steps of half a second, so the limit is met a little later than asked.
		return target.connect({ connectLimitMs: Math.max(200, Math.round(timeLimitMs * 0.72)) });
	} catch (error) {
		if (error instanceof ServerError) return error;
		return failure('invalidInput', {}, { message: messageOf(error) });
	}
}
