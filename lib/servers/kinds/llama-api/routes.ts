/** llama-server's own routes, which routers and gateways offer too, at other URLs. */
import { throwAs, type ServerError } from '../../../errors/server-error';
import type { Connection } from '../../../http/connection';
import type { CallAnswer, RequestOptions } from '../../../http/types';
import { isRecord, type JsonRecord } from '../../../values';
import { idempotentAnswer } from '../../idempotent-answer';
import { requireModel } from '../../model-names';
import type { ModelQuestion } from '../work';

/** How the routes of a model are addressed. */
export interface Addressing {
	/** Requests must name a model. */
	needsModel: boolean;
	/** The root URL of the routes. */
	rootOf(root: string, model: string): string;
}

/** A server with one model. */
export const ONE_MODEL: Addressing = {
	needsModel: false,
	rootOf: (root) => root,
};

/** A router, with a process for each model. */
export const MODEL_IN_REQUEST: Addressing = {
	needsModel: true,
	rootOf: (root) => root,
};

/** The model in the query of a GET request to a router. */
export function modelQuery(model: string): string {
	return `?model=${encodeURIComponent(model.toWellFormed())}`;
}

/** The same, without loading the model: it may have been unloaded meanwhile. */
export function modelQueryWithoutLoading(model: string): string {
	return `${modelQuery(model)}&autoload=false`;
}

/**
 * llama-server's own routes for one model, which every request names: a server with one model ignores that, and a router
 * has the same headers.
 */
export class LlamaRoutes {
	private readonly ask: ModelQuestion;

	/**
	 * @param what is missing on a server without the route, in words after "has no": "slots", "route for tokens"
	 * @throws {ServerError} if the server needs a model and none is chosen
	 */
	constructor(
		private readonly connection: Connection,
		private readonly addressing: Addressing,
		ask: ModelQuestion,
		private readonly what: string,
	) {
		this.ask = { ...ask, model: ask.model.trim() };
		if (addressing.needsModel) requireModel(this.ask.model);
	}

	/** @throws {ServerError} */
	async get(path: string): Promise<CallAnswer> {
		const query = this.ask.model === '' ? '' : modelQuery(this.ask.model);
		return await this.send(this.url(path) + query, {});
	}

	/**
	 * An idempotent request, which may be retried.
	 *
	 * @throws {ServerError}
	 */
	async post(path: string, body: JsonRecord): Promise<CallAnswer> {
		return await this.send(this.url(path), { json: this.withModel(body) });
	}

	/**
	 * A request that changes something: never retried after the server may have started on it.
	 *
	 * @throws {ServerError}
	 */
	async change(path: string, json: unknown): Promise<CallAnswer> {
		const { signal, model } = this.ask;
		const changing = this.connection.answer(this.url(path), {
			method: 'POST',
			json: isRecord(json) ? this.withModel(json) : json,
			signal,
			about: { model },
		});
		return await changing.catch(throwAs((error) => this.withoutRoute(error)));
	}

	get context() {
		return this.connection.contextOf(this.url(''), { model: this.ask.model });
	}

	private withModel(body: JsonRecord): JsonRecord {
		return this.ask.model === '' ? body : { model: this.ask.model, ...body };
	}

	private url(path: string): string {
		return this.addressing.rootOf(this.connection.url.root, this.ask.model) + path;
	}

	private async send(url: string, options: Pick<RequestOptions, 'json'>): Promise<CallAnswer> {
		const asking = idempotentAnswer(this.connection, url, { ...options, ...this.ask });
		return await asking.catch(throwAs((error) => this.withoutRoute(error)));
	}

	/** The error for a missing route, which says what is missing; other errors unchanged. */
	private withoutRoute(error: ServerError): ServerError {
		const { status, kind } = error;
		if ((status !== 404 && status !== 405) || kind === 'modelNotFound') return error;
		return error.reworded({
			kind: 'notSupported',
			message: `The server has no ${this.what}`,
			remedy:
				'llama-server has it, alone, as a router, or behind llama-swap, and vLLM. Update a very old one.',
		});
	}
}
