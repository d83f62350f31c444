import { asFailed, type ServerError, throwAs } from '../../errors/server-error';
import { enterQueue } from '../../http/queue';
import { fetchOnce } from '../../lru-cache';
import { isRecord, type JsonRecord } from '../../values';
import type { DifyClient, Query } from '../client';
import { difyFailure } from '../errors/failure';
import { listIn } from '../paging';
import {
	requestOf,
	resultIn,
	RouteCaller,
	type ObjectRoute,
	type ResultOf,
	type RouteRequest,
	type SingleRoute,
	type ValuesOf,
} from '../routes';
import { baseRoutes } from './routes';

/** Dify Cloud limits the requests of a workspace per minute. */
const RATE_PAUSE_MS = 60_000;

/** Dify holds a lock on a knowledge base while documents are added, so a write may wait for others. */
const WRITE_LIMIT_MS = 120_000;

/** Milliseconds between polls; the last value repeats. */
export type Pauses = readonly [number, ...number[]];

export interface KnowledgeTimes {
	/** Milliseconds to wait after a rate limit refusal. Default 60 s. */
	rateMs?: number;
	/** Between polls of a document's progress. Default 1, 2, 3, then 5 s. */
	progress?: Pauses;
	/** Between retries while Dify works on a document. Default 1, 2, then 3 s. */
	busy?: Pauses;
}

/** API of the knowledge bases of one key (docs/protocols/dify.md 2.13). */
export class KnowledgeApi extends RouteCaller {
	constructor(
		readonly client: DifyClient,
		readonly times: KnowledgeTimes = {},
		private readonly bases = new Map<string, Promise<JsonRecord>>(),
	) {
		super();
	}

	/** The same API with this signal. */
	withSignal(signal: AbortSignal): KnowledgeApi {
		return new KnowledgeApi(this.client.withSignal(signal), this.times, this.bases);
	}

	/**
	 * Sends one request. A GET is retried. A change is not, except after a rate limit refusal, which changes nothing. The
	 * changes of one base, and those of the workspace, come one after another.
	 *
	 * @throws {ServerError}
	 */
	async call<R extends SingleRoute>(route: R, values: ValuesOf<R>): Promise<ResultOf<R>> {
		return (await this.result(route, requestOf(route, values))) as ResultOf<R>;
	}

	/** Searches, with a POST that changes nothing but counts for the rate limit. @throws {ServerError} */
	async search(path: string, body: JsonRecord): Promise<JsonRecord> {
		const request = { body, timeoutMs: WRITE_LIMIT_MS, idempotent: true };
		const answer = await this.counted(
			path,
			async () => await this.client.ask('POST', path, request),
		);
		return this.objectIn(answer, path);
	}

	/** Any change of a base, such as an upload, in its turn. @param baseId undefined for what belongs to the workspace */
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

	/** A knowledge base, cached. Its technique, form and fields decide what other requests need. */
	async base(id: string): Promise<JsonRecord> {
		return await fetchOnce(
			this.bases,
			id,
			async () => await this.call(baseRoutes.get, { dataset_id: id }),
		);
	}

	/** Removes a base from the cache, since it may have changed. */
	forget(id: string): void {
		this.bases.delete(id);
	}

	private async result(route: SingleRoute, request: RouteRequest): Promise<unknown> {
		const sending = this.send(route, request);
		switch (route.returns) {
			case 'existed':
				return (await undefinedIfMissing(sending.then(() => true))) ?? false;
			case 'list':
				return listIn(await sending);
			case 'nothing':
				return await sending.then(() => undefined);
			default:
				return resultIn(route as ObjectRoute, this.objectIn(await sending, request.path));
		}
	}

	private async send(route: SingleRoute, request: RouteRequest): Promise<unknown> {
		const { path, query, body, baseId } = request;
		if (route.method === 'GET') return await this.read(path, query);
		const change = { body, timeoutMs: WRITE_LIMIT_MS };
		try {
			return await this.alone(
				baseId,
				path,
				async () => await this.client.ask(route.method, path, change),
			);
		} finally {
			if (route.changesBase === true && baseId !== undefined) this.forget(baseId);
		}
	}

	/** Reads any JSON, with retries. */
	private async read(path: string, query: Query): Promise<unknown> {
		const request = { query, idempotent: true };
		return await this.counted(path, async () => await this.client.ask('GET', path, request));
	}

	protected async readObject(path: string, query: Query): Promise<JsonRecord> {
		return this.objectIn(await this.read(path, query), path);
	}

	private async enter(baseId: string | undefined, path: string): Promise<() => void> {
		try {
			return await enterQueue(`${this.client.api} knowledge ${baseId ?? 'workspace'}`, 1, {
				signal: this.client.signal,
			});
		} catch {
			throw difyFailure('cancelled', {
				url: this.client.url(path),
				remedy: 'Nothing was sent to Dify.',
			});
		}
	}

	private async counted<T>(path: string, work: () => Promise<T>): Promise<T> {
		const first = await work().then((value) => ({ value }), asFailed);
		if ('value' in first) return first.value;
		if (first.failed.kind !== 'knowledgeRate') throw explained(first.failed);
		await this.client.pause(this.times.rateMs ?? RATE_PAUSE_MS, this.client.url(path));
		return await work().catch(throwAs(explained));
	}
}

/** Errors of the embedding or rerank model. */
const MODEL_KINDS: ReadonlySet<string> = new Set([
	'modelProvider',
	'modelConnection',
	'pluginDaemon',
]);

/** Rewords errors that mean something else, or more, for knowledge bases. */
function explained(error: ServerError): ServerError {
	if (/^Dataset not found/.test(error.serverText ?? ''))
		return error.reworded({
			message: 'Dify does not find the knowledge base',
			meaning: 'Dify does not find the knowledge base ("Dataset not found")',
			remedy: 'It was deleted, or belongs to another workspace than the key. Choose it anew.',
		});
	if (!MODEL_KINDS.has(error.kind)) return error;
	return error.reworded({
		message: 'The embedding or rerank model behind Dify failed',
		meaning:
			'Dify works, but the embedding or rerank model that the knowledge base uses does not answer it',
		remedy: `${error.remedy} For a knowledge base these are the embedding model and the rerank model of its settings.`,
	});
}

/** The pause after poll number `looks`, counted from 0. */
export function pollPause(pauses: Pauses, looks: number): number {
	return pauses[Math.min(looks, pauses.length - 1)] ?? pauses[0];
}

/** The answer, or undefined where Dify does not find the object. An HTML 404 (a missing route) stays an error. */
export async function undefinedIfMissing<T>(answer: Promise<T>): Promise<T | undefined> {
	const outcome = await answer.then((value) => ({ value }), asFailed);
	if ('value' in outcome) return outcome.value;
	const { failed } = outcome;
	if (failed.status === 404 && failed.kind === 'notFound') return undefined;
	throw failed;
}
