/** The routes of llama-server beside OpenAI's API, where several servers have them, each at its own place. */
import { failure } from '../../errors/failure';
import { throwAs, type ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import type { CallAnswer, RequestOptions } from '../../http/types';
import { isRecord } from '../../values';
import { type ServerKind, traitsOf } from '../kinds';
import { requireModel } from '../model-names';
import { kindFor } from '../purpose';
import { retryIdempotent } from '../retry';

export interface LlamaServerAsk {
	/** May be empty where the server has one model. */
	model: string;
	signal?: AbortSignal;
	/** After a failure another server is asked, so this one is not asked again. */
	once?: boolean;
}

const RETRIES = 3;

/** llama-server's own routes for one model. */
export class LlamaServerRoutes {
	private constructor(
		private readonly connection: Connection,
		readonly kind: ServerKind,
		private readonly ask: LlamaServerAsk,
		private readonly what: string,
	) {}

	/**
	 * @param what the user wants there, behind "has no": "slots", "route for tokens"
	 * @throws {ServerError} where the server is of a kind that has none, or wants a model and none is chosen
	 */
	static async of(connection: Connection, ask: LlamaServerAsk, what: string): Promise<LlamaServerRoutes> {
		const model = ask.model.trim();
		const kind = await kindFor(connection, model, ask.signal);
		const { label, llamaApi, modelRoot } = traitsOf(kind);
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

	/** Whether the server asks which model is meant. */
	get isOfSeveralModels(): boolean {
		const { llamaApi, modelRoot } = traitsOf(this.kind);
		return llamaApi === 'router' || modelRoot !== undefined;
	}

	/** @throws {ServerError} */
	async get(path: string): Promise<CallAnswer> {
		const query = this.isRouter ? `?model=${encodeURIComponent(this.ask.model.toWellFormed())}` : '';
		return await this.send(this.url(path) + query, {});
	}

	/**
	 * A request that changes nothing, so it may be sent twice.
	 *
	 * @throws {ServerError}
	 */
	async post(path: string, body: Record<string, unknown>): Promise<CallAnswer> {
		return await this.send(this.url(path), { json: this.withModel(body) });
	}

	/**
	 * A request that changes something: sent again only while the server has not taken it up.
	 *
	 * @throws {ServerError}
	 */
	async change(path: string, json: unknown): Promise<CallAnswer> {
		const { signal, model } = this.ask;
		const body = isRecord(json) ? this.withModel(json) : json;
		return await this.connection.answer(this.url(path), { method: 'POST', json: body, signal, about: { model } });
	}

	get context() {
		return this.connection.contextOf(this.url(''), { model: this.ask.model });
	}

	private get isRouter(): boolean {
		return traitsOf(this.kind).llamaApi === 'router';
	}

	private withModel(body: Record<string, unknown>): Record<string, unknown> {
		return this.isRouter ? { model: this.ask.model, ...body } : body;
	}

	private url(path: string): string {
		const { root } = this.connection.url;
		return (traitsOf(this.kind).modelRoot?.(root, this.ask.model) ?? root) + path;
	}

	private async send(url: string, options: Pick<RequestOptions, 'json'>): Promise<CallAnswer> {
		const asking = safeAnswer(this.connection, url, { ...options, ...this.ask });
		return await asking.catch(throwAs((error) => this.withoutRoute(error)));
	}

	/** A server that has not got the route, in words that say what is missing. */
	private withoutRoute(error: ServerError): ServerError {
		const { status, serverText, url = this.connection.url.root } = error;
		if (status !== 404 && status !== 405) return error;
		return failure('notSupported', this.connection.contextOf(url), {
			status,
			serverText,
			message: `The server has no ${this.what}`,
			remedy: 'Only llama-server has it, alone, as a router, or behind llama-swap. A very old one has to be updated.',
		});
	}
}

/**
 * The answer to a request that changes nothing: waits while the model is loading, and asks again after what passes.
 *
 * @throws {ServerError}
 */
export async function safeAnswer(
	connection: Connection,
	url: string,
	{ model, signal, json, once = false }: LlamaServerAsk & Pick<RequestOptions, 'json'>,
): Promise<CallAnswer> {
	const about = { model };
	return await connection.answer(url, {
		json,
		signal,
		about,
		...(once ? {} : { retry: retryIdempotent(connection, { retries: RETRIES, about }) }),
	});
}
