/** Routes, keys, models and generations of a simulated server. */
import { sendReply, waitFor } from '../http-server';
import type { Exchange, WireReply, WireRequest } from '../http-server';
import { countPrompt } from './default-answer';
import { contextExceeded, featureDisabled, invalidRequest, serverError, SimError } from './errors';
import { formOf } from './forms';
import type { Form } from './forms';
import { passSteps, toServerSteps } from './generate';
import type { Job, Json } from './generate';
import * as metadata from './metadata';
import type { Profile, Settings, SimModel, SimOptions } from './options';
import type { GenerationReply, PlainReply, Reply, Scripted } from './reply';
import { decideResponse, embed, embeddingsResponse, rerankResponse } from './tasks';

/** Returns a body for status 200, or a response. */
type Handler = (request: WireRequest, body: Json) => object | Promise<object>;
type Routes = Record<string, Handler>;

const SERVER_HEADER: Record<Profile, ReadonlyArray<readonly [string, string]>> = {
	'llama-server': [['Server', 'llama.cpp']],
	router: [['Server', 'llama.cpp']],
	ollama: [],
	vllm: [['server', 'uvicorn']],
	gpustack: [['server', 'uvicorn']],
	fastapi: [['server', 'uvicorn']],
};

const LLAMA_NOT_FOUND = {
	error: { code: 404, message: 'File Not Found', type: 'not_found_error' },
};
const NOT_FOUND: Record<Profile, object | string> = {
	'llama-server': LLAMA_NOT_FOUND,
	router: LLAMA_NOT_FOUND,
	ollama: '404 page not found',
	vllm: { detail: 'Not Found' },
	gpustack: { code: 404, reason: 'NotFound', message: 'Not Found' },
	fastapi: { detail: 'Not Found' },
};

function jsonReply(status: number, body: object | string): WireReply {
	const isText = typeof body === 'string';
	return {
		status,
		headers: [['Content-Type', isText ? 'text/plain' : 'application/json; charset=utf-8']],
		body: isText ? body : JSON.stringify(body),
	};
}

function parseBody(request: WireRequest): Json {
	if (request.method !== 'POST') return {};
	if (typeof request.body !== 'object' || request.body === null)
		throw serverError('[json.exception.parse_error.101] parse error at line 1');
	return request.body as Json;
}

export class App {
	readonly script: Scripted[] = [];
	readonly scriptedRoutes = new Map<string, Scripted>();
	/** Generations that are running. */
	active = 0;
	private readonly routes: Routes;
	private loadingCount = 0;
	private loadingUntil = 0;
	private generations = 0;

	constructor(
		private readonly settings: Settings,
		private readonly closed: AbortSignal,
	) {
		this.routes = this.routesOf(settings.profile);
	}

	setLoading(left: SimOptions['loadingFor']): void {
		this.loadingCount = typeof left === 'number' ? left : 0;
		this.loadingUntil = typeof left === 'object' ? Date.now() + left.ms : 0;
	}

	async handle(exchange: Exchange): Promise<void> {
		try {
			await this.respond(exchange);
		} catch (error) {
			if (!(error instanceof SimError)) throw error;
			await this.send(exchange, jsonReply(error.status, error.body));
		}
	}

	private async send(exchange: Exchange, { headers, ...rest }: WireReply): Promise<void> {
		await sendReply(exchange, {
			...rest,
			headers: [...SERVER_HEADER[this.settings.profile], ...headers],
		});
	}

	private async sendPlain(
		exchange: Exchange,
		{ reply: plain, dressed }: PlainReply,
	): Promise<void> {
		if (dressed) await this.send(exchange, plain);
		else await sendReply(exchange, plain);
	}

	private async respond(exchange: Exchange): Promise<void> {
		const { request } = exchange;
		const { apiPrefix, profile } = this.settings;
		const scripted = await resolveReply(
			this.scriptedRoutes.get(`${request.method} ${request.path}`),
			request,
		);
		if (scripted?.kind === 'plain') return await this.sendPlain(exchange, scripted);
		this.assertLoaded();
		this.assertKey(request);
		const isBelow = request.path.startsWith(apiPrefix);
		const route = `${request.method} ${request.path.slice(apiPrefix.length)}`;
		const form = formOf(route, profile);
		if (isBelow && form !== undefined) return await this.generate(exchange, form);
		const handler = isBelow ? this.routes[route] : undefined;
		if (handler === undefined) throw new SimError(404, NOT_FOUND[profile]);
		const result = await handler(request, parseBody(request));
		await this.send(exchange, 'headers' in result ? (result as WireReply) : jsonReply(200, result));
	}

	private assertLoaded(): void {
		const isLoading = this.loadingCount > 0 || Date.now() < this.loadingUntil;
		if (this.loadingCount > 0) this.loadingCount -= 1;
		if (!isLoading) return;
		throw new SimError(503, {
			error: { message: 'Loading model', type: 'unavailable_error', code: 503 },
		});
	}

	private assertKey({ path, headers }: WireRequest): void {
		const { apiKey, profile } = this.settings;
		if (apiKey === undefined || profile === 'ollama' || /^(?:\/v1)?\/health/.test(path)) return;
		const sentKey = headers.authorization?.replace(/^Bearer /, '') ?? headers['x-api-key'];
		if (sentKey === apiKey) return;
		throw new SimError(401, {
			error: { message: 'Invalid API Key', type: 'authentication_error', code: 401 },
		});
	}

	private async generate(exchange: Exchange, form: Form): Promise<void> {
		const { request } = exchange;
		const scripted = await resolveReply(this.script.shift(), request);
		if (scripted?.kind === 'plain') return await this.sendPlain(exchange, scripted);
		const body = parseBody(request);
		const model = await this.modelOf(body, request);
		const job = this.jobOf(body, scripted, form, model.id, request.signal);
		this.active += 1;
		try {
			const { transport } = job.options;
			const { stream = form.streamsByDefault } = body;
			if (stream !== true) {
				await passSteps(job);
				await this.send(exchange, { ...jsonReply(200, form.whole(job)), transport });
				return;
			}
			const headers = [['Content-Type', form.contentType]] as const;
			await this.send(exchange, { status: 200, headers, body: form.stream(job), transport });
		} finally {
			this.active -= 1;
		}
	}

	private jobOf(
		body: Json,
		scripted: GenerationReply | undefined,
		form: Form,
		model: string,
		signal: AbortSignal,
	): Job {
		const { profile, nCtx, tokenDelayMs, embeddings } = this.settings;
		const isLlama = profile === 'llama-server' || profile === 'router';
		if (embeddings?.encoder === true)
			throw serverError('the current context does not logits computation. skipping');
		const promptTokens = countPrompt(body);
		if (isLlama && promptTokens >= nCtx) throw contextExceeded(promptTokens, nCtx);
		const { steps, native, options } = scripted ?? form.defaultReply(body);
		const { num_predict: predicted = body.max_tokens } = (body.options ?? {}) as Json;
		const limit = scripted === undefined && typeof predicted === 'number' ? predicted : Infinity;
		const isTruncated = steps.length >= limit;
		this.generations += 1;
		return {
			body,
			steps: (native ? toServerSteps(steps, profile) : steps).slice(0, limit),
			options: isTruncated ? { ...options, finish: 'length' } : options,
			id: `chatcmpl-${this.generations}`,
			model,
			created: Math.floor(Date.now() / 1000),
			profile,
			promptTokens,
			signal,
			tokenDelayMs,
		};
	}

	private findModel(name: unknown): SimModel | undefined {
		return this.settings.models.find(
			({ id, aliases = [] }) =>
				id === name || id === `${String(name)}:latest` || aliases.includes(String(name)),
		);
	}

	/** llama-server ignores the name, a router loads the model. */
	private async modelOf({ model: name }: Json, request: WireRequest): Promise<SimModel> {
		const { profile, alias } = this.settings;
		if (profile === 'llama-server') return { id: alias };
		if (profile === 'router') return await this.loadForRequest(name, request.signal);
		const model = this.findModel(name);
		if (model === undefined)
			throw new SimError(404, { error: { message: `model '${String(name)}' not found` } });
		return model;
	}

	private async loadForRequest(name: unknown, signal: AbortSignal): Promise<SimModel> {
		if (typeof name !== 'string' || name === '')
			throw invalidRequest('model name is missing from the request');
		const model = this.findModel(name);
		if (model === undefined) throw invalidRequest(`model '${name}' not found`);
		if (model.status === 'loaded') return model;
		model.status = 'loading';
		await waitFor(model.loadMs, signal);
		model.status = model.exitCode === undefined ? 'loaded' : 'unloaded';
		if (model.exitCode !== undefined) throw serverError(`model name=${name} failed to load`);
		return model;
	}

	private loadModel({ model: name }: Json): object {
		const model = this.findModel(name);
		if (model === undefined) throw new SimError(404, LLAMA_NOT_FOUND);
		model.status = 'loading';
		void waitFor(model.loadMs ?? 0, this.closed).then(() => {
			model.status = model.exitCode === undefined ? 'loaded' : 'unloaded';
		});
		return { success: true };
	}

	private unloadModel({ model: name }: Json): object {
		const model = this.findModel(name);
		if (model?.status !== 'loaded') throw invalidRequest('model is not running');
		model.status = 'unloaded';
		return { success: true };
	}

	private routesOf(profile: Profile): Routes {
		const { settings } = this;
		const embeddings: Handler = (_request, body) => embeddingsResponse(body, settings);
		const tasks: Routes = {
			'POST /v1/embeddings': embeddings,
			'POST /v1/rerank': (_request, body) => rerankResponse(body, settings),
			'POST /v1/systemone': (_request, body) => decideResponse(body, settings),
		};
		const listOf = (owner: string): Routes => ({
			'GET /v1/models': () => metadata.ownedModels(settings, owner),
		});
		switch (profile) {
			case 'llama-server':
				return { ...this.llamaRoutes(), ...tasks };
			case 'router':
				return { ...this.llamaRoutes(), ...this.routerRoutes(), ...tasks };
			case 'ollama':
				return { ...listOf('library'), ...this.ollamaRoutes(), 'POST /v1/embeddings': embeddings };
			case 'vllm':
				return { ...listOf('vllm'), ...tasks };
			case 'gpustack':
				return { ...listOf('gpustack'), ...tasks };
			default:
				return listOf('local');
		}
	}

	private llamaRoutes(): Routes {
		const { settings } = this;
		const models: Handler = () => metadata.llamaModels(settings);
		const health: Handler = () => ({ status: 'ok' });
		return {
			'GET /health': health,
			'GET /v1/health': health,
			'GET /models': models,
			'GET /v1/models': models,
			'GET /props': () => metadata.llamaProps(settings),
			'GET /slots': () =>
				jsonReply(
					200,
					this.slots().map(({ id, busy }) => ({ id, n_ctx: settings.nCtx, is_processing: busy })),
				),
			'GET /metrics': () => {
				if (!settings.metrics)
					throw featureDisabled(
						'This server does not support metrics endpoint. Start it with `--metrics`',
					);
				return jsonReply(200, metadata.llamaMetrics(this.active));
			},
			'POST /v1/audio/transcriptions': () => {
				throw featureDisabled('The current model does not support audio input.');
			},
		};
	}

	private routerRoutes(): Routes {
		const { settings } = this;
		const models: Handler = () => metadata.routerModels(settings);
		/** Requests with a model go to its process. */
		const ofModel =
			(answer: (model: SimModel) => object): Handler =>
			async ({ query, signal }) =>
				answer(await this.loadForRequest(query.get('model'), signal));
		const { 'GET /slots': slots, 'GET /metrics': metrics } = this.llamaRoutes();
		const modelProps = ofModel((model) => metadata.llamaProps(settings, model));
		return {
			'GET /models': models,
			'GET /v1/models': models,
			'GET /props': (request, body) =>
				request.query.has('model') ? modelProps(request, body) : metadata.routerProps(),
			'GET /slots': async (request, body) => {
				await this.loadForRequest(request.query.get('model'), request.signal);
				return await slots!(request, body);
			},
			'GET /metrics': async (request, body) => {
				await this.loadForRequest(request.query.get('model'), request.signal);
				return await metrics!(request, body);
			},
			'POST /models/load': (_request, body) => this.loadModel(body),
			'POST /models/unload': (_request, body) => this.unloadModel(body),
		};
	}

	private ollamaRoutes(): Routes {
		const { settings } = this;
		return {
			'GET /': () => jsonReply(200, 'Ollama is running'),
			'GET /api/version': () => ({ version: '0.12.0' }),
			'GET /api/tags': () => metadata.ollamaTags(settings),
			'GET /api/ps': () => metadata.ollamaRunning(settings),
			'POST /api/show': async (request, body) =>
				metadata.ollamaShow(await this.modelOf(body, request), settings),
			'POST /api/embed': (_request, { model, input }) => ({
				model,
				embeddings: [input ?? []].flat().map((text) => embed(String(text), 8)),
			}),
		};
	}

	slots(): SlotState[] {
		return Array.from({ length: this.settings.slots }, (_, id) => ({ id, busy: id < this.active }));
	}
}

export interface SlotState {
	id: number;
	busy: boolean;
}

async function resolveReply(
	scripted: Scripted | undefined,
	request: WireRequest,
): Promise<Reply | undefined> {
	return typeof scripted === 'function' ? await scripted(request) : scripted;
}
