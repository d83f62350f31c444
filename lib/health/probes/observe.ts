import type { Connection } from '../../http/connection';
import type { ConnectionSettings, ServerAddress } from '../../http/types';
import { ServerError } from '../../errors/server-error';
import { failure } from '../../errors/failure';
import { seconds } from '../../errors/remedies';
import { takesRequestsAlways } from '../../servers/identify';
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
	/** The name that a model has there, where that is not the one that nodes ask for. */
	modelNamed?(model: string): string;
	/** The further servers of the same credential. */
	further?: readonly Target[];
}

export interface CheckOptions {
	expectations?: Expectations;
	/** Timeout of each request, default 2.5 s. */
	timeLimitMs?: number;
	/** Timeout of each alternative address, default 1 s: one that drops packets must not take all of the time. */
	elsewhereLimitMs?: number;
	/** For a place in the queue of the credential, in front of the generations that wait; default 15 s. */
	placeLimitMs?: number;
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
const PLACE_LIMIT_MS = 15_000;

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
	const entered = await enter(target, options);
	if (entered instanceof ServerError) {
		if (entered.kind === 'aborted') throw entered;
		return {
			...known,
			...NOTHING,
			rejected: describeFailure(entered),
			checkMs: elapsed(startedAt),
		};
	}
	const { connection, leave } = entered;
	const results = await probe(contextOf(target, connection, options)).finally(leave);
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

/** A connection with one place in the queue of the credential for all requests, or why there is none. */
async function enter(target: Target, options: CheckOptions) {
	const { timeLimitMs = TIME_LIMIT_MS, placeLimitMs = PLACE_LIMIT_MS } = options;
	try {
		// undici counts connecting in steps of half a second, so the limit is met a little later than asked.
		const connectLimitMs = Math.max(200, Math.round(timeLimitMs * 0.72));
		const connection = target.connect({ connectLimitMs });
		const leave = await placeInQueue(connection, options);
		return { connection: connection.withoutQueue(), leave };
	} catch (error) {
		if (!(error instanceof ServerError))
			return failure('invalidInput', {}, { message: messageOf(error) });
		const message = `The server was not asked: n8n's own requests held all places for ${seconds(placeLimitMs)}`;
		return error.facts.queued === true ? error.reworded({ kind: 'busy', message }) : error;
	}
}

/** If no place becomes free, only a server is asked that is known to take requests during a generation. */
async function placeInQueue(
	connection: Connection,
	{ signal, placeLimitMs = PLACE_LIMIT_MS }: CheckOptions,
): Promise<() => void> {
	const waiting = { limits: { firstTokenMs: placeLimitMs }, signal, priority: 'check' as const };
	return await connection.enter(waiting).catch((error: unknown) => {
		const mayGoWithout = signal?.aborted !== true && takesRequestsAlways(connection);
		if (mayGoWithout) return () => {};
		throw error;
	});
}
