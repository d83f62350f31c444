import { asFailed, type ServerError } from '../../errors/server-error';
import { Connection } from '../../http/connection';
import { DEFAULT_LIMITS, type Limits } from '../../http/limits';
import type { RetryPolicy } from '../../http/types';
import { pauseFor } from '../../http/waiting';
import {
	type ChoiceOptions,
	chooseServer,
	type Member,
	cooldownKeys,
	type ChosenServer,
	cooldownOf,
} from './choose-server';
import {
	allFailed,
	canFailOver,
	lacksModel,
	mostRecoverable,
	type Skipped,
	withOthers,
} from './failover';
import type { KindName } from '../kinds';
import { learnSlotsIfShared, occupy } from '../occupancy';
import { endCooldown, endProbe, startCooldown } from './cooldowns';

/** One of the servers of a credential. */
interface PoolServer {
	connection: Connection;
	/** Maps the requested model name to the one on this server; absent: the same name. */
	modelNamed?(asked: string): string;
}

/** One server's turn to answer: the work may send several requests to it. */
export interface Attempt {
	/** For everything that belongs to the request. */
	connection: Connection;
	/** The model's name on this server. */
	model: string;
	/** The remaining time limits. */
	limits: Partial<Limits>;
	/** Makes the retry policy of one request at this server. Undefined if the next server is asked instead. */
	newRetryPolicy?: () => RetryPolicy;
}

/** Sends a request, and resolves as soon as an answer begins. */
type Work<T> = (attempt: Attempt) => Promise<T>;

export interface PoolOptions extends ChoiceOptions {
	limits: Partial<Limits>;
	/** Makes a retry policy: for a request at the only server, or for rounds over several that all failed. */
	retryPolicyAt: (connection: Connection) => RetryPolicy;
	/** Whether the next server may be asked even after an answer had begun. */
	idempotent?: boolean;
	/** The kind of server that the user chose. */
	chosenKind?: KindName;
}

/** A result, and the server it came from. */
export interface Served<T> {
	value: T;
	connection: Connection;
	model: string;
	/** Servers that failed now, or are cooling down. */
	passedOver: Skipped[];
	/** To be called at the end of the answer; calling it twice is harmless. */
	release(): void;
}

/**
 * The servers of a credential, with load balancing, and failover when one fails before it begins an answer. The rules
 * are in docs/decisions.md.
 *
 * |                | one server                                  | several servers                                     |
 * | -------------- | ------------------------------------------- | --------------------------------------------------- |
 * | Queue          | each request waits in the connection's      | `chooseServer` waits; requests use `member.direct`  |
 * | Time limits    | start when the request enters the queue     | the first-token limit starts anew for each server   |
 * | Retries        | of each request, by its connection          | rounds over all servers, after all of them failed   |
 * | After a failure| it is thrown                                | the next server is asked, this one cools down       |
 * | `release`      | the request no longer counts as running     | that, and its place in the queue is free            |
 */
export class ServerPool {
	private readonly members: readonly Member[];

	/** @param servers the first is the one of the credential's Base URL */
	constructor(servers: readonly [PoolServer, ...PoolServer[]]) {
		this.members = servers.map(({ connection, modelNamed }) => ({
			queued: connection,
			direct: connection.withoutQueue(),
			modelNamed: (asked) => modelNamed?.(asked) ?? asked,
			hasOwnNames: modelNamed !== undefined,
		}));
	}

	/** Wraps a single connection in a pool. */
	static of(servers: Connection | ServerPool): ServerPool {
		return servers instanceof Connection ? new ServerPool([{ connection: servers }]) : servers;
	}

	/** The server of the credential's Base URL. */
	get first(): Connection {
		return this.members[0]!.queued;
	}

	get connections(): Connection[] {
		return this.members.map(({ queued }) => queued);
	}

	/** The servers without their own model names. */
	get connectionsWithSameNames(): Connection[] {
		return this.members.filter(({ hasOwnNames }) => !hasOwnNames).map(({ queued }) => queued);
	}

	get hasSeveral(): boolean {
		return this.members.length > 1;
	}

	/**
	 * Sends a request to one server after the other until one begins to answer.
	 *
	 * @throws {ServerError} what `work` throws; if every server failed, one error with all failures
	 */
	async open<T>(work: Work<T>, options: PoolOptions): Promise<Served<T>> {
		if (!this.hasSeveral) return await this.serveFromOnly(work, options);
		const search = new Search(options);
		const retry = options.retryPolicyAt(this.first);
		for (;;) {
			const served = await this.serveFromAny(work, search, options);
			if (served !== undefined) return served;
			await this.pauseBeforeNextRound(search, retry, options);
		}
	}

	/** The same for work that is finished when it resolves. */
	async run<T>(work: Work<T>, options: PoolOptions): Promise<Served<T>> {
		const served = await this.open(work, options);
		served.release();
		return served;
	}

	private async serveFromOnly<T>(work: Work<T>, options: PoolOptions): Promise<Served<T>> {
		const [{ queued: connection, modelNamed }] = this.members as [Member];
		const { limits } = options;
		const model = modelNamed(options.model);
		const release = occupy(connection);
		// Not awaited: it counts from the next request on.
		void learnSlotsIfShared(connection, model, options.chosenKind);
		const newRetryPolicy = () => options.retryPolicyAt(connection);
		const working = work({ connection, model, limits, newRetryPolicy });
		working.catch(release);
		return { value: await working, connection, model, passedOver: [], release };
	}

	/** Asks every server once; undefined if all of them failed. */
	private async serveFromAny<T>(
		work: Work<T>,
		search: Search,
		options: PoolOptions,
	): Promise<Served<T> | undefined> {
		const untried = new Set(this.members.filter((member) => !search.hopeless.has(member)));
		while (untried.size > 0) {
			const limits = search.limitsOfNext();
			const turn = await chooseServer([...untried], { ...options, limits: limits() });
			const { member, release } = turn;
			const outcome = await tryAt(turn, work, { ...options, limits: limits() });
			search.failures.delete(member);
			if ('value' in outcome) {
				const passedOver = this.passedOver(member, search.failures, options);
				return { ...outcome, connection: member.direct, passedOver, release };
			}
			const { failed } = outcome;
			if (!canGoOn(failed, options)) throw withOthers(failed, [...search.failures.values()]);
			search.note(member, failed);
			untried.delete(member);
		}
		return undefined;
	}

	/** @throws {ServerError} where another round would not help, or the request was cancelled */
	private async pauseBeforeNextRound(
		{ failures, hopeless, time }: Search,
		retry: RetryPolicy,
		{ signal }: PoolOptions,
	): Promise<void> {
		const [member, failed] = mostRecoverable(failures);
		const next = retry(failed, time.left().firstTokenMs || Infinity);
		if (typeof next !== 'number') failures.set(member, next);
		if (typeof next !== 'number' || hopeless.size === this.members.length)
			throw allFailed([...failures.values()]);
		await pauseFor(next, signal).catch(() => {
			throw member.queued.failure('aborted');
		});
	}

	private passedOver(
		answered: Member,
		failures: ReadonlyMap<Member, ServerError>,
		asked: PoolOptions,
	): Skipped[] {
		return this.members.flatMap((member) => {
			const failed = failures.get(member);
			const why = failed ?? cooldownOf(member, asked);
			if (member === answered || why === undefined) return [];
			return [{ url: member.queued.url.root, why: why.message, wasAsked: failed !== undefined }];
		});
	}
}

/** What is known of a request that several servers are asked for. */
class Search {
	readonly time: TimeLeft;
	readonly failures = new Map<Member, ServerError>();
	/** Servers that would fail again in the same way. */
	readonly hopeless = new Set<Member>();

	constructor(private readonly options: PoolOptions) {
		this.time = new TimeLeft(options.limits);
	}

	note(member: Member, failed: ServerError): void {
		this.failures.set(member, failed);
		if (lacksModel(failed) || failed.kind === 'firstTokenLimit') this.hopeless.add(member);
	}

	/** Each server gets the full first-token limit: the one before may have used it up. */
	limitsOfNext(): () => Partial<Limits> {
		const waiting = new TimeLeft(this.options.limits);
		return () => ({ ...this.time.left(), ...waiting.leftOfFirst() });
	}
}

async function tryAt<T>(
	{ member, release }: ChosenServer,
	work: Work<T>,
	options: PoolOptions,
): Promise<{ value: T; model: string } | { failed: ServerError }> {
	const { limits } = options;
	const model = member.modelNamed(options.model);
	const [server, ofModel] = cooldownKeys(member, options);
	let outcome: { value: T; model: string } | { failed: ServerError } | undefined;
	try {
		outcome = await work({ connection: member.direct, model, limits }).then(
			(value) => ({ value, model }),
			asFailed,
		);
		return outcome;
	} finally {
		if (outcome === undefined || 'failed' in outcome) {
			release();
			const failed = outcome?.failed;
			if (failed !== undefined && canGoOn(failed, options))
				startCooldown(lacksModel(failed) ? ofModel : server, failed);
			// Any HTTP answer shows that the server is up.
			else if (failed?.status !== undefined) endCooldown(server);
			[server, ofModel].forEach(endProbe);
		} else [server, ofModel].forEach(endCooldown);
	}
}

function canGoOn(failed: ServerError, { signal, idempotent }: PoolOptions): boolean {
	return signal?.aborted !== true && canFailOver(failed, idempotent);
}

/** Remaining time of a request's limits. */
class TimeLeft {
	private readonly startedAt = performance.now();

	constructor(private readonly limits: Partial<Limits>) {}

	left(): Partial<Limits> {
		return {
			...this.limits,
			...this.leftOfFirst(),
			...this.leftOf('totalMs', this.limits.totalMs),
		};
	}

	leftOfFirst(): Partial<Limits> {
		return this.leftOf('firstTokenMs', this.limits.firstTokenMs ?? DEFAULT_LIMITS.firstTokenMs);
	}

	private leftOf(name: keyof Limits, limit = 0): Partial<Limits> {
		return limit > 0
			? { [name]: Math.max(1, limit - (performance.now() - this.startedAt)) }
			: { [name]: limit };
	}
}
