import { asFailed, type ServerError, throwAs } from '../../errors/server-error';
import { enterQueue } from '../../http/queue';
import type { Download } from '../../http/types';
import { fetchOnce } from '../../lru-cache';
import { isRecord, type JsonRecord } from '../../values';
import type { DifyClient, Method, Query } from '../client';
import { difyFailure } from '../failure';

/** A Cloud workspace may do so many things a minute; the count begins anew with the next one. */
const RATE_PAUSE_MS = 60_000;

/** Dify holds a lock on a knowledge base while documents are added, so a write may wait for others. */
const WRITE_LIMIT_MS = 120_000;

/** Dify makes a file as a whole before it sends the first byte of it. */
const FILE_LIMITS = { firstTokenMs: 600_000, idleMs: 120_000, totalMs: 0 };

/** Milliseconds between two looks at what Dify works on, the last one for all further looks. */
export type Pauses = readonly [number, ...number[]];

export interface KnowledgeTimes {
	/** How long to wait after a refusal for too many requests in this minute. Default 60 s. */
	rateMs?: number;
	/** Between two looks at the progress of a document. Default 1, 2, 3, then 5 s. */
	progress?: Pauses;
	/** Between two tries while Dify still works on a document. Default 1, 2, then 3 s. */
	busy?: Pauses;
}

/** The knowledge bases that one key opens (docs/protocols/dify.md 2.13). */
export class KnowledgeApi {
	constructor(
		readonly client: DifyClient,
		readonly times: KnowledgeTimes = {},
		private readonly bases = new Map<string, Promise<JsonRecord>>(),
	) {}

	/** The same, until this signal aborts. */
	within(signal: AbortSignal): KnowledgeApi {
		return new KnowledgeApi(this.client.within(signal), this.times, this.bases);
	}

	/** Reads an object. @throws {ServerError} */
	async get(path: string, query?: Query): Promise<JsonRecord> {
		return this.objectIn(await this.read(path, query), path);
	}

	/** Reads any JSON. Asked again where that may help, since nothing changes. @throws {ServerError} */
	async read(path: string, query?: Query): Promise<unknown> {
		return await this.client.ask('GET', path, { query, idempotent: true }).catch(throwAs(withModelHint));
	}

	/** Searches: a POST that changes nothing, but counts for the limit per minute. @throws {ServerError} */
	async search(path: string, body: JsonRecord): Promise<JsonRecord> {
		const request = { body, timeoutMs: WRITE_LIMIT_MS, idempotent: true };
		const answer = await this.counted(path, async () => await this.client.ask('POST', path, request));
		return this.objectIn(answer, path);
	}

	/** A file that Dify makes of what is asked for: a POST that changes nothing. @throws {ServerError} */
	async file(path: string, body: JsonRecord): Promise<Download> {
		const request = { json: body, limits: FILE_LIMITS };
		return await this.counted(path, async () => await this.client.download(path, request));
	}

	/**
	 * Changes something in a knowledge base: one change of a base at a time, in the order in which they were asked for.
	 * Never sent twice, but after a refusal for too many requests in this minute, which leaves nothing done.
	 *
	 * @param baseId undefined for what belongs to the workspace
	 * @throws {ServerError}
	 */
	async change(
		baseId: string | undefined,
		method: Exclude<Method, 'GET'>,
		path: string,
		body?: JsonRecord,
	): Promise<unknown> {
		const request = { body, timeoutMs: WRITE_LIMIT_MS };
		return await this.alone(baseId, path, async () => await this.client.ask(method, path, request));
	}

	/** As `change`, where Dify answers with an object. */
	async write(...change: Parameters<KnowledgeApi['change']>): Promise<JsonRecord> {
		return this.objectIn(await this.change(...change), change[2]);
	}

	/** @returns false where there was nothing to delete */
	async deleteIfPresent(baseId: string | undefined, path: string, body?: JsonRecord): Promise<boolean> {
		const deletion = this.change(baseId, 'DELETE', path, body).then(() => true);
		return (await undefinedIfMissing(deletion)) ?? false;
	}

	/** As `change`, for work of the caller's own, such as an upload. */
	async alone<T>(baseId: string | undefined, path: string, work: () => Promise<T>): Promise<T> {
		const leave = await this.enter(baseId, path);
		try {
			return await this.counted(path, work);
		} finally {
			leave();
		}
	}

	/** @throws {ServerError} where Dify answered with something else than an object */
	private objectIn(answer: unknown, path: string): JsonRecord {
		if (isRecord(answer)) return answer;
		throw difyFailure('emptyAnswer', {
			url: this.client.url(path),
			message: 'Dify answered with something else than was asked for',
		});
	}

	/** A knowledge base, asked for once. Its technique, form and fields decide what other requests need. */
	async base(id: string): Promise<JsonRecord> {
		return await fetchOnce(this.bases, id, async () => await this.get(`/datasets/${id}`));
	}

	/** What is known of a base may have changed. */
	forget(id: string): void {
		this.bases.delete(id);
	}

	private async enter(baseId: string | undefined, path: string): Promise<() => void> {
		try {
			return await enterQueue(`${this.client.api} knowledge ${baseId ?? 'workspace'}`, 1, this.client.signal);
		} catch {
			throw difyFailure('cancelled', { url: this.client.url(path), remedy: 'Nothing was sent to Dify.' });
		}
	}

	private async counted<T>(path: string, work: () => Promise<T>): Promise<T> {
		const first = await work().then((value) => ({ value }), asFailed);
		if ('value' in first) return first.value;
		if (first.failed.kind !== 'knowledgeRate') throw withModelHint(first.failed);
		await this.client.pause(this.times.rateMs ?? RATE_PAUSE_MS, this.client.url(path));
		return await work().catch(throwAs(withModelHint));
	}
}

/** Kinds that mean the model which makes vectors or orders hits. */
const MODEL_KINDS: ReadonlySet<string> = new Set(['modelProvider', 'modelConnection', 'pluginDaemon']);

/** Says of failures what they mean for knowledge bases. */
function withModelHint(error: ServerError): ServerError {
	if (!MODEL_KINDS.has(error.kind)) return error;
	return error.reworded({
		message: 'The embedding or rerank model behind Dify failed',
		meaning: 'Dify works, but the embedding or rerank model that the knowledge base uses does not answer it',
		remedy: `${error.remedy} For a knowledge base these are the embedding model and the rerank model of its settings.`,
	});
}

/** The pause before look number `looks`, counted from 0. */
export function pauseAt(pauses: Pauses, looks: number): number {
	return pauses[Math.min(looks, pauses.length - 1)] ?? pauses[0];
}

/**
 * The answer, or undefined where Dify says that there is no such thing. A page of HTML, which means that there is no
 * such route, stays a failure.
 */
export async function undefinedIfMissing<T>(answer: Promise<T>): Promise<T | undefined> {
	const outcome = await answer.then((value) => ({ value }), asFailed);
	if ('value' in outcome) return outcome.value;
	const { failed } = outcome;
	if (failed.status === 404 && failed.kind === 'notFound') return undefined;
	throw failed;
}
