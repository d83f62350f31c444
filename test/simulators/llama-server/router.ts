/** Router mode: several models, one child process each (docs/protocols/llama-server.md 2.10). */
import { waitFor, type WireReply } from '../wire-reply';
import type { Exchange, WireRequest } from '../raw-http';
import { LlamaApp, parseBody } from './app';
import type { Json } from './chat';
import { invalidRequest, notFound, serverError } from './errors';
import { dress, jsonReply, proxied } from './http';
import { props, routerModel, routerProps } from './metadata';
import { embeddingsOf, type Settings, type SimModel } from './options';

/** POST routes that a child answers, chosen by `model` in the body. */
const FORWARDED = new RegExp(
	'^/(v1/)?(chat/completions(/input_tokens)?|completions?|embeddings?|rerank(ing)?' +
		'|apply-template|tokenize|detokenize|infill)$',
);

export class RouterApp extends LlamaApp {
	protected override readonly settingsFor = (body: Json): Settings => {
		const { settings } = this.core;
		const {
			vision = false,
			audio = false,
			nCtx = settings.nCtx,
			embeddings,
			rerank = false,
		} = this.find(body.model);
		const vectors =
			embeddings === true || rerank ? embeddingsOf({ encoder: true }) : settings.embeddings;
		return {
			...settings,
			vision,
			audio,
			nCtx,
			embeddings: vectors,
			rerank: rerank || settings.rerank,
		};
	};
	/** Requests that a child answers. */
	private readonly forwarded = new WeakSet<Exchange>();

	private get models(): SimModel[] {
		return this.core.settings.models;
	}

	protected override dress(answer: WireReply, exchange: Exchange): WireReply {
		return dress(proxied(answer, exchange.request), exchange);
	}

	protected override async send(exchange: Exchange, answer: WireReply): Promise<void> {
		await super.send(
			exchange,
			this.forwarded.has(exchange) ? proxied(answer, exchange.request) : answer,
		);
	}

	protected override async route(exchange: Exchange, path: string): Promise<void> {
		const { request } = exchange;
		const modelName = request.query.get('model');
		const isForwarded = FORWARDED.test(path) || path.startsWith('/slots/');
		if (request.method === 'POST' && isForwarded) {
			await this.ready(this.find(parseBody(request).model), request);
			this.forwarded.add(exchange);
		} else if (request.method === 'GET' && ['/props', '/slots', '/metrics'].includes(path)) {
			// Without a model, /props is the router's own; all else is a child's.
			if (modelName !== null || path !== '/props') {
				await this.ready(this.find(modelName ?? undefined), request);
				this.forwarded.add(exchange);
			}
			if (modelName !== null && path === '/props') {
				const child = jsonReply(200, props(this.core.settings, false, this.find(modelName)));
				await this.send(exchange, child);
				return;
			}
		}
		await super.route(exchange, path);
	}

	protected override routes(): ReturnType<LlamaApp['routes']> {
		const list = (): object => ({
			data: this.models.map((model) => routerModel(this.core.settings, model)),
			object: 'list',
		});
		return {
			...super.routes(),
			'GET /models': list,
			'GET /v1/models': list,
			'GET /props': () => routerProps(),
			'POST /models/load': ({ request }) => this.load(parseBody(request).model),
			'POST /models/unload': ({ request }) => this.unload(parseBody(request).model),
		};
	}

	protected override modelName = (body: Json): string => this.find(body.model).id;

	private known(name: unknown): SimModel | undefined {
		return this.models.find(
			({ id, aliases = [] }) => id === name || aliases.includes(String(name)),
		);
	}

	private find(name: unknown): SimModel {
		if (typeof name !== 'string' || name === '')
			throw invalidRequest('model name is missing from the request');
		const model = this.known(name);
		if (!model) throw invalidRequest(`model '${name}' not found`);
		return model;
	}

	/** Loads the model on demand; nothing is sent meanwhile. */
	private async ready(model: SimModel, request: WireRequest): Promise<void> {
		if (model.status === 'loaded') return;
		const wish = request.query.get('autoload');
		const autoload = wish === null || wish === 'true' || wish === '1';
		if (!autoload) throw invalidRequest('model is not loaded');
		model.status = 'loading';
		await waitFor(model.loadMs, request.signal);
		if (model.exitCode !== undefined) {
			model.status = 'unloaded';
			throw serverError(`model name=${model.id} failed to load`);
		}
		model.status = 'loaded';
	}

	private load(name: unknown): object {
		const model = this.known(name);
		if (!model) throw notFound();
		if (model.status === 'loaded' || model.status === 'loading')
			throw invalidRequest('model is already running');
		model.status = 'loading';
		void waitFor(model.loadMs ?? 0, this.core.closed.signal).then(() => {
			model.status = model.exitCode === undefined ? 'loaded' : 'unloaded';
		});
		return { success: true };
	}

	private unload(name: unknown): object {
		const model = this.known(name);
		if (!model) throw invalidRequest('model is not found');
		if (model.status !== 'loaded') throw invalidRequest('model is not running');
		model.status = 'unloaded';
		return { success: true };
	}
}
