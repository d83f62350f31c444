/** llama-server itself: order of checks, routes, single mode (docs/protocols/llama-server.md 1.2, 2). */
import type { WireReply } from '../wire-reply';
import { sendReply } from '../wire-reply';
import type { Exchange, WireRequest } from '../raw-http';
import { type ChatTask, type Json, readChat, readTask, type Task } from './chat';
import { chatCompletion, Core, type Generation, settle } from './core';
import { defaultAnswer } from './default-answer';
import { embeddings, rerank } from './embeddings';
import { invalidKey, invalidRequest, loading, notFound, serverError } from './errors';
import { chatStream } from './generate';
import { dress, jsonReply, textReply } from './http';
import { parseError, typeName } from './json';
import { metrics, modelList, props } from './metadata';
import type { Settings, SimOptions } from './options';
import { recordedAnswer } from './recorded-routes';
import { type GenerationReply, reply } from './reply';
import { textCompletion, textStream } from './text-routes';

/** A parsed request, and its default answer. */
interface ParsedTask<T extends Task> {
	task: T;
	answer: GenerationReply;
}

/** Returns the answer, or undefined if it has sent the answer itself. */
type Handler = (exchange: Exchange) => object | WireReply | Promise<object | WireReply | undefined>;

const isWireReply = (value: object): value is WireReply => 'headers' in value && 'status' in value;

/** Answers the requests of one profile. Loading and sleeping are llama-server's only. */
export interface App {
	handle(exchange: Exchange): Promise<void>;
	setLoading?(left: SimOptions['loadingFor']): void;
}

const parseAny = (request: WireRequest): unknown => {
	const text = request.bytes.toString('utf8');
	const problem = parseError(text);
	if (problem) throw serverError(problem);
	return JSON.parse(text);
};

/** Parses the body as JSON. @throws llama-server's 500 with the JSON library's text */
export const parseBody = (request: WireRequest): Json => {
	const value = parseAny(request);
	return (typeName(value) === 'object' ? value : {}) as Json;
};

const asString = (value: unknown): string => (typeof value === 'string' ? value : '');

export class LlamaApp implements App {
	protected readonly handlers: Record<string, Handler>;
	/** Settings for the model of a request: only a router has several. */
	protected readonly settingsFor: (body: Json) => Settings = () => this.core.settings;
	private loadingLeft = 0;
	private loadingUntil = 0;
	private asleep = false;

	constructor(
		readonly core: Core,
		options: SimOptions,
	) {
		this.handlers = this.routes();
		this.setLoading(options.loadingFor);
		this.asleep = options.sleeping ?? false;
	}

	private get loading(): boolean {
		return this.loadingLeft > 0 || Date.now() < this.loadingUntil;
	}

	setLoading(left: SimOptions['loadingFor']): void {
		this.loadingLeft = typeof left === 'number' ? left : 0;
		this.loadingUntil = typeof left === 'object' ? Date.now() + left.ms : 0;
	}

	async handle(exchange: Exchange): Promise<void> {
		const failure = await settle(this.answer(exchange));
		if (failure) await this.send(exchange, jsonReply(failure.status, failure.body));
	}

	protected async send(exchange: Exchange, answer: WireReply): Promise<void> {
		await sendReply(exchange, dress(answer, exchange));
	}

	protected dress(answer: WireReply, exchange: Exchange): WireReply {
		return dress(answer, exchange);
	}

	private async answer(exchange: Exchange): Promise<void> {
		const { request } = exchange;
		const scripted = await this.core.routeReply(request);
		if (scripted?.kind === 'plain') {
			await this.core.sendPlain(exchange, scripted, (given) => this.dress(given, exchange));
			return;
		}
		if (this.loading) {
			if (this.loadingLeft > 0) this.loadingLeft -= 1;
			throw loading();
		}
		this.checkKey(request);
		const { apiPrefix } = this.core.settings;
		if (!request.path.startsWith(apiPrefix)) throw notFound();
		await this.route(exchange, request.path.slice(apiPrefix.length));
	}

	protected async route(exchange: Exchange, path: string): Promise<void> {
		const route = `${exchange.request.method} ${path}`;
		const handler = this.handlers[route];
		const recorded = recordedAnswer(route, this.core.settings);
		if (!handler && !recorded) throw notFound();
		// Only these do not wake a sleeping server (docs/protocols/llama-server.md 2.11).
		if (!['/health', '/v1/health', '/props', '/models', '/v1/models', '/metrics'].includes(path))
			this.asleep = false;
		const result = recorded ?? (await handler!(exchange));
		if (result) await this.send(exchange, isWireReply(result) ? result : jsonReply(200, result));
	}

	/** `X-Api-Key` counts only if `Authorization` is absent or empty; "Bearer " is case-sensitive. */
	private checkKey({ path, headers }: WireRequest): void {
		const { keys } = this.core.settings;
		if (keys.length === 0 || path === '/health' || path === '/v1/health') return;
		const apiKey = headers.authorization || headers['x-api-key'] || '';
		if (!keys.includes(apiKey.startsWith('Bearer ') ? apiKey.slice('Bearer '.length) : apiKey))
			throw invalidKey();
	}

	protected routes(): Record<string, Handler> {
		const { core } = this;
		const { settings } = core;
		const models: Handler = () => modelList(settings);
		const chat: Handler = async (exchange) => await this.chat(exchange);
		const text: Handler = async (exchange) => await this.text(exchange);
		// A server without `--embeddings` refuses without reading the body; a router checks the model.
		const vectors: Handler = ({ request }) => this.vectors(request, false);
		const nativeVectors: Handler = ({ request }) => this.vectors(request, true);
		const ranking: Handler = ({ request }) => {
			const body = settings.rerank || settings.profile === 'router' ? parseBody(request) : {};
			return rerank(body, this.settingsFor(body));
		};
		return {
			'GET /models': models,
			'GET /v1/models': models,
			'GET /props': () => props(settings, this.asleep),
			'GET /slots': () => core.pool.report(),
			'GET /metrics': () =>
				textReply(metrics(this.core), 'text/plain; version=0.0.4', [
					['Process-Start-Time-Unix', '1'],
				]),
			'POST /chat/completions': chat,
			'POST /v1/chat/completions': chat,
			'POST /v1/completions': text,
			'POST /v1/embeddings': vectors,
			'POST /embedding': nativeVectors,
			'POST /embeddings': nativeVectors,
			'POST /v1/rerank': ranking,
			'POST /rerank': ranking,
			'POST /v1/reranking': ranking,
			'POST /reranking': ranking,
		};
	}

	private vectors(request: WireRequest, native: boolean): object {
		const { embeddings: asked, profile } = this.core.settings;
		const body = asked || profile === 'router' ? parseBody(request) : {};
		return embeddings(body, native, this.settingsFor(body));
	}

	/** The model's name in replies, independent of the request (docs/protocols/llama-server.md 4.3). */
	protected modelName: (body: Json) => string = () => this.core.settings.alias;

	private async chat(exchange: Exchange): Promise<undefined> {
		const read = (): ParsedTask<ChatTask> => {
			const body = parseBody(exchange.request);
			const task = readChat(body, this.settingsFor(body));
			return { task, answer: defaultAnswer(task) };
		};
		await this.generation(exchange, read, {
			stream: chatStream,
			whole: (job) => jsonReply(200, chatCompletion(job)),
		});
		return undefined;
	}

	private async text(exchange: Exchange): Promise<undefined> {
		const read = (): ParsedTask<Task> => {
			const body = parseBody(exchange.request);
			if (body.prompt === undefined) {
				throw invalidRequest("[json.exception.out_of_range.403] key 'prompt' not found");
			}
			const prompt = Array.isArray(body.prompt)
				? body.prompt.map(String).join('')
				: asString(body.prompt);
			const task = readTask(body, prompt, this.settingsFor(body));
			return { task, answer: reply.text(` and so on after ${prompt.split(' ').at(-1) ?? ''}`) };
		};
		await this.generation(exchange, read, {
			stream: textStream,
			whole: (job) => jsonReply(200, textCompletion(job, false)),
		});
		return undefined;
	}

	/** A plain scripted reply needs no valid request; a generation does, and stays in the queue if the request is refused. */
	private async generation(
		exchange: Exchange,
		read: () => ParsedTask<Task>,
		form: Pick<Generation, 'stream' | 'whole'>,
	): Promise<void> {
		const scripted = await this.core.nextReply(exchange.request);
		if (scripted?.kind === 'plain') {
			await this.core.sendPlain(exchange, scripted, (answer) => this.dress(answer, exchange));
			return;
		}
		const { task, answer } = this.core.orPutBack(read, scripted);
		const { embeddings } = this.settingsFor(task.body);
		if (embeddings?.encoder === true)
			throw serverError('the current context does not logits computation. skipping');
		await this.core.generate(exchange, {
			task,
			reply: scripted ?? answer,
			defaulted: scripted === undefined,
			model: this.modelName(task.body),
			...form,
			dress: (given) => this.dress(given, exchange),
			contextLimit: this.settingsFor(task.body).nCtx,
		});
	}
}
