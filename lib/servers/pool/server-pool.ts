import { failure } from '../../errors/failure';
import { asFailed, type ServerError } from '../../errors/server-error';
import { Connection } from '../../http/connection';
import { DEFAULT_LIMITS, type Limits } from '../../http/limits';
import type { RetryPolicy } from '../../http/types';
import { pauseFor } from '../../http/waiting';
import { type ChoiceOptions, chooseServer, type Member, restKeys, type Turn, whyItRests } from './choose-server';
import { allFailed, canFailOver, isLacking, mostRecoverable, type Skipped, withOthers } from './failover';
import { occupy } from '../occupancy';
import { endCooldown, endProbe, startCooldown } from './cooldowns';

/** One of the servers of a credential. */
export interface PoolServer {
	connection: Connection;
	/** The name that a model has there, where that is not the one that the node asks for. */
	modelNamed?(asked: string): string;
}

/** How a request is made at one server. */
export interface Attempt {
	/** The server to which everything is sent that belongs to the request. */
	connection: Connection;
	/** The name of the model there. */
	model: string;
	/** What is left of them. */
	limits: Partial<Limits>;
	/** When the request is sent again to the same server; undefined where the next one is asked in its place. */
	retry?: () => RetryPolicy;
}

export interface PoolOptions extends ChoiceOptions {
	limits: Partial<Limits>;
	/** When everything is tried again, after no server took the request up. */
	retry: (connection: Connection) => RetryPolicy;
	/** The request changes nothing, so the next server may also be asked after an answer had begun. */
	idempotent?: boolean;
}

/** What a server gave, and which one it was. */
export interface Served<T> {
	value: T;
	connection: Connection;
	model: string;
	/** The other servers that failed, and those that were not asked because they failed a little while ago. */
	passedOver: Skipped[];
	/** To be called when the answer has come to its end; calling it twice is harmless. */
	release(): void;
}

/**
 * The servers of a credential: they share the work, and another one takes over where one fails before it begins an
 * answer. The rules are in docs/decisions.md.
 */
export class ServerPool {
	private readonly members: readonly Member[];

	/** @param servers at least one; the first is that of the credential's Base URL */
	constructor(servers: readonly [PoolServer, ...PoolServer[]]) {
		this.members = servers.map(({ connection, modelNamed }) => ({
			queued: connection,
			direct: connection.withoutQueue(),
			modelNamed: (asked) => modelNamed?.(asked) ?? asked,
			hasOwnNames: modelNamed !== undefined,
		}));
	}

	/** The pool of one server, or the pool itself. */
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

	/** The servers that have models under the names that nodes ask for. */
	get connectionsWithSameNames(): Connection[] {
		return this.members.filter(({ hasOwnNames }) => !hasOwnNames).map(({ queued }) => queued);
	}

	get hasSeveral(): boolean {
		return this.members.length > 1;
	}

	/**
	 * Sends a request to one of the servers, and to the next one as long as none has begun to answer.
	 *
	 * @param work sends the request, and has its result as soon as an answer begins
	 * @throws {ServerError} what `work` throws; where every server failed, one error that names each of them
	 */
	async open<T>(work: (attempt: Attempt) => Promise<T>, options: PoolOptions): Promise<Served<T>> {
		return this.hasSeveral ? await this.openAtAny(work, options) : await this.openAtOnly(work, options);
	}

	/** The same for work that is over when its result is there. */
	async run<T>(work: (attempt: Attempt) => Promise<T>, options: PoolOptions): Promise<Served<T>> {
		const served = await this.open(work, options);
		served.release();
		return served;
	}

	private async openAtOnly<T>(work: (attempt: Attempt) => Promise<T>, options: PoolOptions): Promise<Served<T>> {
		const [{ queued: connection, modelNamed }] = this.members as [Member];
		const { model: asked, limits } = options;
		const model = modelNamed(asked);
		const release = occupy(connection);
		let value: { of: T } | undefined;
		try {
			value = { of: await work({ connection, model, limits, retry: () => options.retry(connection) }) };
		} finally {
			if (value === undefined) release();
		}
		return { value: value.of, connection, model, passedOver: [], release };
	}

	private async openAtAny<T>(work: (attempt: Attempt) => Promise<T>, options: PoolOptions): Promise<Served<T>> {
		const time = new TimeLeft(options.limits);
		const again = options.retry(this.first);
		const failures = new Map<Member, ServerError>();
		/** Servers that would fail in the same way again. */
		const hopeless = new Set<Member>();
		for (;;) {
			const tried = new Set(hopeless);
			while (tried.size < this.members.length) {
				const waiting = new TimeLeft(options.limits);
				const untried = this.members.filter((member) => !tried.has(member));
				// Each server has all of the first-token limit: the one before may have been silent through it.
				const limits = () => ({ ...time.left(), ...waiting.leftOfFirst() });
				const turn = await chooseServer(untried, { ...options, limits: limits() });
				const { member } = turn;
				const outcome = await tryAt(turn, work, { ...options, limits: limits() });
				failures.delete(member);
				if ('value' in outcome) {
					const { direct: connection } = member;
					const passedOver = this.passedOver(member, failures, options);
					return { ...outcome, connection, passedOver, release: turn.release };
				}
				const { failed } = outcome;
				if (!canGoOn(failed, options)) throw withOthers(failed, [...failures.values()]);
				failures.set(member, failed);
				tried.add(member);
				if (isLacking(failed) || failed.kind === 'firstTokenLimit') hopeless.add(member);
			}
			const [member, failed] = mostRecoverable(failures);
			const next = again(failed, time.left().firstTokenMs || Infinity);
			if (typeof next !== 'number' || hopeless.size === this.members.length) {
				if (typeof next !== 'number') failures.set(member, next);
				throw allFailed([...failures.values()]);
			}
			await pauseFor(next, options.signal).catch(() => {
				throw failure('aborted', member.queued.contextOf(member.queued.url.api));
			});
		}
	}

	private passedOver(answered: Member, failures: ReadonlyMap<Member, ServerError>, asked: PoolOptions): Skipped[] {
		return this.members.flatMap((member) => {
			const failed = failures.get(member);
			const why = failed ?? whyItRests(member, asked);
			if (member === answered || why === undefined) return [];
			return [{ url: member.queued.url.root, why: why.message, wasAsked: failed !== undefined }];
		});
	}
}

async function tryAt<T>(
	{ member, release }: Turn,
	work: (attempt: Attempt) => Promise<T>,
	options: PoolOptions,
): Promise<{ value: T; model: string } | { failed: ServerError }> {
	const { model: asked, limits } = options;
	const model = member.modelNamed(asked);
	const [server, ofModel] = restKeys(member, options);
	let outcome: { value: T; model: string } | { failed: ServerError } | undefined;
	try {
		outcome = await work({ connection: member.direct, model, limits }).then((value) => ({ value, model }), asFailed);
		return outcome;
	} finally {
		if (outcome === undefined || 'failed' in outcome) {
			release();
			const failed = outcome?.failed;
			if (failed !== undefined && canGoOn(failed, options)) startCooldown(isLacking(failed) ? ofModel : server, failed);
			// Whatever it answered, it is there.
			else if (failed?.status !== undefined) endCooldown(server);
			[server, ofModel].forEach(endProbe);
		} else [server, ofModel].forEach(endCooldown);
	}
}

function canGoOn(failed: ServerError, { signal, idempotent }: PoolOptions): boolean {
	return signal?.aborted !== true && canFailOver(failed, idempotent);
}

/** What is left of the limits of a request. */
class TimeLeft {
	private readonly startedAt = performance.now();

	constructor(private readonly limits: Partial<Limits>) {}

	left(): Partial<Limits> {
		return { ...this.limits, ...this.leftOfFirst(), ...this.leftOf('totalMs', this.limits.totalMs) };
	}

	leftOfFirst(): Partial<Limits> {
		return this.leftOf('firstTokenMs', this.limits.firstTokenMs ?? DEFAULT_LIMITS.firstTokenMs);
	}

	private leftOf(name: keyof Limits, limit = 0): Partial<Limits> {
		return limit > 0 ? { [name]: Math.max(1, limit - (performance.now() - this.startedAt)) } : { [name]: limit };
	}
}
