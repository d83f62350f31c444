import type { Connection } from '../../http/connection';
import type { ConnectionSettings } from '../../http/types';
import { ServerError } from '../../errors/server-error';
import { failure } from '../../errors/failure';
import { seconds } from '../../errors/remedies';
import { knownServerKind } from '../../servers/identify';
import { kindOf } from '../../servers/kinds';
import type { Alternative, Expectations, Observations, Probe } from '../observations';
import { ask, describeFailure, elapsed } from './probe';
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
	modelNamed?(asked: string): string;
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
	signal?: AbortSignal;
}

export const TIME_LIMIT_MS = 2_500;

/** What probes need. */
export interface ProbeContext {
	target: Target;
	connection: Connection;
	options: CheckOptions;
	/** One request, with its own timeout. */
	ask(url: string, json?: unknown): Promise<Probe>;
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
	look: (context: ProbeContext) => Promise<ProbeResults>,
	options: CheckOptions = {},
): Promise<Observations> {
	const startedAt = performance.now();
	const {
		timeLimitMs = TIME_LIMIT_MS,
		elsewhereLimitMs = 1000,
		signal,
		expectations = {},
	} = options;
	// undici counts connecting in steps of half a second, so the limit is met a little later than asked.
	const connectLimitMs = Math.max(200, Math.round(timeLimitMs * 0.72));
	const base = {
		service: target.service,
		keySet: target.keySet,
		authentication: target.authentication,
		maxConcurrentRequests: target.maxConcurrentRequests,
		...optional({ keyType: target.keyType }),
		expectations,
	};
	const entered = await enter(() => target.connect({ connectLimitMs }), options);
	if (entered instanceof ServerError && entered.kind === 'aborted') throw entered;
	if (entered instanceof ServerError)
		return {
			...base,
			rejected: describeFailure(entered),
			probes: {},
			perModel: {},
			alternatives: [],
			checkMs: elapsed(startedAt),
		};
	const { connection, leave } = entered;
	const seen = await look({
		target,
		connection,
		options,
		ask: async (url, json) => await ask(connection, url, { timeoutMs: timeLimitMs, signal, json }),
		askElsewhere: async (baseUrl, expects) => {
			const limitMs = Math.min(elsewhereLimitMs, timeLimitMs);
			const other = target.connectElsewhere(baseUrl, { connectLimitMs: limitMs });
			const url = {
				anything: `${other.url.root}/health`,
				models: `${other.url.api}/models`,
				dify: `${baseUrl}/info`,
			}[expects];
			return { baseUrl, expects, probe: await ask(other, url, { timeoutMs: limitMs, signal }) };
		},
	}).finally(leave);
	if (signal?.aborted) throw failure('aborted', connection.contextOf(connection.url.api));
	const { typed, origin, root, api } = connection.url;
	return { ...base, url: { typed, origin, root, api }, ...seen, checkMs: elapsed(startedAt) };
}

/**
 * A connection with one place in the queue of the credential for all requests, or why there is none. If no place
 * becomes free, only a server is asked that is known to take requests during a generation.
 */
async function enter(connect: () => Connection, { signal, placeLimitMs = 15_000 }: CheckOptions) {
	try {
		const connection = connect();
		const waiting = { limits: { firstTokenMs: placeLimitMs }, signal, inFront: true };
		const leave = await connection.enter(waiting).catch((error: unknown) => {
			const kind = knownServerKind(connection) ?? 'other';
			const isSafe = kind !== 'other' && kindOf(kind).otherRequestsEndAnswers !== true;
			if (isSafe && signal?.aborted !== true) return () => {};
			throw error;
		});
		return { connection: connection.withoutQueue(), leave };
	} catch (error) {
		if (!(error instanceof ServerError))
			return failure('invalidInput', {}, { message: messageOf(error) });
		const message = `The server was not asked: n8n's own requests held all places for ${seconds(placeLimitMs)}`;
		return error.facts.queued === true ? error.reworded({ kind: 'busy', message }) : error;
	}
}
