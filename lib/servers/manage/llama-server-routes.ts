/** llama-server's own routes, which routers and gateways offer too, at other URLs. */
import { failure } from '../../errors/failure';
import { throwAs, type ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import type { CallAnswer, RequestOptions } from '../../http/types';
import { isRecord } from '../../values';
import { type KindName, kindOf } from '../kinds';
import { requireModel } from '../model-names';
import { kindFor } from '../purpose';
import { retryIdempotent } from '../retry';

export interface NativeRouteOptions {
	/** May be empty if the server has one model. */
	model: string;
	signal?: AbortSignal;
	/** No retries: after a failure another server is asked. */
	once?: boolean;
}

const RETRIES = 3;

/** llama-server's own routes for one model. */
export class LlamaServerRoutes {
	private constructor(
		private readonly connection: Connection,
		readonly kind: KindName,
		private readonly ask: NativeRouteOptions,
		private readonly what: string,
	) {}

	/**
	 * @param what is missing, in words after "has no": "slots", "route for tokens"
	 * @throws {ServerError} if this kind of server lacks the routes, or needs a model and none is chosen
	 */
	static async of(
		connection: Connection,
		ask: NativeRouteOptions,
		what: string,
	): Promise<LlamaServerRoutes> {
		const model = ask.model.trim();
		const kind = await kindFor(connection, model, ask.signal);
		const { label, llamaApi, modelRoot } = kindOf(kind);
		const isLlama = llamaApi !== undefined || modelRoot !== undefined;
		if (!isLlama && kind !== 'other')
			throw failure('notSupported', connection.contextOf(connection.url.root, { model }), {
				message: `${label} has no ${what}`,
				remedy: 'Only llama-server has them, alone, as a router, or behind llama-swap.',
			});
		const routes = new LlamaServerRoutes(connection, kind, { ...ask, model }, what);
		if (routes.isOfSeveralModels) requireModel(model);
		return routes;
	}

	/** Whether requests must name a model. */
	get isOfSeveralModels(): boolean {
		const { llamaApi, modelRoot } = kindOf(this.kind);
		return llamaApi === 'router' || modelRoot !== undefined;
	}

	/** @throws {ServerError} */
	async get(path: string): Promise<CallAnswer> {
		const query = this.isRouter
			? `?model=${encodeURIComponent(this.ask.model.toWellFormed())}`
			: '';
		return await this.send(this.url(path) + query, {});
	}

	/**
	 * An idempotent request, which may be retried.
	 *
	 * @throws {ServerError}
	 */
	async post(path: string, body: Record<string, unknown>): Promise<CallAnswer> {
		return await this.send(this.url(path), { json: this.withModel(body) });
	}

	/**
	 * A request that changes something: never retried after the server may have started on it.
	 *
	 * @throws {ServerError}
	 */
	async change(path: string, json: unknown): Promise<CallAnswer> {
		const { signal, model } = this.ask;
		const body = isRecord(json) ? this.withModel(json) : json;
		return await this.connection.answer(this.url(path), {
			method: 'POST',
			json: body,
			signal,
			about: { model },
		});
	}

	get context() {
		return this.connection.contextOf(this.url(''), { model: this.ask.model });
	}

	private get isRouter(): boolean {
		return kindOf(this.kind).llamaApi === 'router';
	}

	private withModel(body: Record<string, unknown>): Record<string, unknown> {
		return this.isRouter ? { model: this.ask.model, ...body } : body;
	}

	private url(path: string): string {
		const { root } = this.connection.url;
		return (kindOf(this.kind).modelRoot?.(root, this.ask.model) ?? root) + path;
	}

	private async send(url: string, options: Pick<RequestOptions, 'json'>): Promise<CallAnswer> {
		const asking = idempotentAnswer(this.connection, url, { ...options, ...this.ask });
		return await asking.catch(throwAs((error) => this.withoutRoute(error)));
	}

	/** The error for a missing route, which says what is missing; other errors unchanged. */
	private withoutRoute(error: ServerError): ServerError {
		const { status, serverText, url = this.connection.url.root } = error;
		if (status !== 404 && status !== 405) return error;
		return failure('notSupported', this.connection.contextOf(url), {
			status,
			serverText,
			message: `The server has no ${this.what}`,
			remedy:
				'Only llama-server has it, alone, as a router, or behind llama-swap. A very old one has to be updated.',
		});
	}
}

/**
 * The answer to an idempotent request: waits while the model is loading, and retries after transient failures.
 *
 * @throws {ServerError}
 */
export async function idempotentAnswer(
	connection: Connection,
	url: string,
	{ model, signal, json, once = false }: NativeRouteOptions & Pick<RequestOptions, 'json'>,
): Promise<CallAnswer> {
	const about = { model };
	return await connection.answer(url, {
		json,
		signal,
		about,
		...(once ? {} : { retry: retryIdempotent(connection, { retries: RETRIES, about }) }),
	});
}
