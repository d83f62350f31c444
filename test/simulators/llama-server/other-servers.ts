/**
 * Shared by the simulators of other servers (docs/protocols/llama-server.md 8), as far as clients see them.
 */
import { sendReply, type HeaderList, type WireReply } from '../wire-reply';
import type { Exchange, WireRequest } from '../raw-http';
import type { App } from './app';
import type { ChatMessage } from './prompt';
import type { ChatTask, Json } from './chat';
import { chatCompletion, type Core, settle } from './core';
import { defaultAnswer } from './default-answer';
import { embed, relevance } from './embeddings';
import { SimError } from './errors';
import { chatStream } from './generate';
import { parseError, single, stringify, typeName } from './json';
import type { SimModel } from './options';
import { renderPrompt } from './prompt';

export type OtherServerHandler = (exchange: Exchange) => object | Promise<object | undefined>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Parses a request without llama-server's checks: other servers ignore unknown fields. */
export const looseTask = (body: Json): ChatTask => {
	const raw = Array.isArray(body.messages) ? (body.messages as Json[]) : [];
	const content = (value: unknown): string =>
		Array.isArray(value)
			? (value as Json[]).map((part) => text(part.text)).join('\n')
			: text(value);
	const messages: ChatMessage[] = raw.map((message) => ({
		role: text(message.role),
		content: content(message.content),
		reasoning: text(message.reasoning) || text(message.reasoning_content),
		calls: [],
	}));
	const tools = Array.isArray(body.tools) ? (body.tools as Json[]) : [];
	const prompt = renderPrompt('chatml', { messages, tools, enableThinking: false, prefill: false });
	const limit = body.max_tokens ?? body.max_completion_tokens;
	const format = (body.response_format ?? {}) as { type?: unknown; json_schema?: Json };
	return {
		body,
		prompt: prompt.text,
		generationPrompt: prompt.generationPrompt,
		prefill: '',
		stream: body.stream === true,
		maxTokens: typeof limit === 'number' ? limit : -1,
		n: 1,
		idSlot: -1,
		cachePrompt: true,
		stop: [],
		logprobs: false,
		messages,
		tools,
		toolChoice: body.tool_choice === 'required' ? 'required' : 'auto',
		schema: format.type === 'json_schema' ? format.json_schema?.schema : undefined,
		thinking: false,
	};
};

/** A server with a table of routes, its own headers and error texts. */
export abstract class OtherServerApp implements App {
	protected readonly jsonType: string = 'application/json';
	protected readonly streamType: string = 'text/event-stream; charset=utf-8';
	private table: Record<string, OtherServerHandler> | undefined;

	constructor(readonly core: Core) {}

	/** Headers on every response, before the reply's own. */
	protected always(): HeaderList {
		return [
			['date', new Date().toUTCString()],
			['server', 'uvicorn'],
		];
	}

	protected abstract routes(): Record<string, OtherServerHandler>;
	/** @throws if the key is wrong */
	protected abstract checkKey(request: WireRequest): void;
	protected abstract notFound(request: WireRequest): SimError;
	protected abstract badBody(problem: string): SimError;
	/** @throws if the model is unknown */
	protected abstract findModel(body: Json): SimModel;
	protected abstract tooLong(tokens: number): SimError;

	async handle(exchange: Exchange): Promise<void> {
		const failure = await settle(this.answer(exchange));
		if (!failure) return;
		const raw = (failure.body as { raw?: unknown }).raw;
		const reply: WireReply =
			typeof raw === 'string'
				? { status: failure.status, headers: [['content-type', 'text/plain']], body: raw }
				: this.json(failure.status, failure.body);
		await this.send(exchange, reply);
	}

	protected json(status: number, body: object): WireReply {
		return { status, headers: [['content-type', this.jsonType]], body: stringify(body) };
	}

	protected dress(reply: WireReply): WireReply {
		const headers = reply.headers
			.filter(([name]) => !/^(x-accel-buffering|transfer-encoding)$/i.test(name))
			.map(([name, value]): readonly [string, string] =>
				value === 'text/event-stream' ? [name.toLowerCase(), this.streamType] : [name, value],
			);
		return { ...reply, headers: [...this.always(), ...headers] };
	}

	protected async send(exchange: Exchange, reply: WireReply): Promise<void> {
		await sendReply(exchange, this.dress(reply));
	}

	private async answer(exchange: Exchange): Promise<void> {
		const { request } = exchange;
		const scripted = await this.core.routeReply(request);
		if (scripted?.kind === 'plain') {
			await this.core.sendPlain(exchange, scripted, (reply) => this.dress(reply));
			return;
		}
		this.checkKey(request);
		this.table ??= this.routes();
		const method = request.method === 'HEAD' ? 'GET' : request.method;
		const handler = this.table[`${method} ${request.path}`];
		if (!handler) throw this.notFound(request);
		const result = await handler(exchange);
		if (!result) return;
		await this.send(
			exchange,
			'status' in result && 'headers' in result ? (result as WireReply) : this.json(200, result),
		);
	}

	protected parse(request: WireRequest): Json {
		const source = request.bytes.toString('utf8');
		const problem = parseError(source);
		if (problem) throw this.badBody(problem);
		const value: unknown = JSON.parse(source);
		if (typeName(value) !== 'object') throw this.badBody('body is not an object');
		return value as Json;
	}

	/** Server-specific checks of a chat body. */
	protected checkChat(body: Json, model: SimModel): void {
		if (!Array.isArray(body.messages)) throw this.badBody(`messages are required by ${model.id}`);
	}

	protected async chat(exchange: Exchange): Promise<undefined> {
		const scripted = await this.core.nextReply(exchange.request);
		if (scripted?.kind === 'plain') {
			await this.core.sendPlain(exchange, scripted, (reply) => this.dress(reply));
			return undefined;
		}
		const { task, model } = this.core.orPutBack(() => {
			const body = this.parse(exchange.request);
			const found = this.findModel(body);
			this.checkChat(body, found);
			const read = this.fit(looseTask(body));
			return { task: read, model: found };
		}, scripted);
		await this.core.generate(exchange, {
			task,
			reply: scripted ?? defaultAnswer(task),
			defaulted: scripted === undefined,
			model: model.id,
			stream: chatStream,
			whole: (job) => this.json(200, chatCompletion(job)),
			dress: (reply) => this.dress(reply),
			contextLimit: Infinity,
		});
		return undefined;
	}

	/** Refuses or shortens a prompt that exceeds the context. */
	protected fit(task: ChatTask): ChatTask {
		const tokens = [...task.prompt].length;
		if (tokens >= this.core.settings.nCtx) throw this.tooLong(tokens);
		return task;
	}

	protected embeddingsOf(body: Json): object {
		const list = [body.input ?? []].flat().map(String);
		const { dimensions = 8 } = this.core.settings.embeddings ?? {};
		const tokens = list.reduce((sum, item) => sum + [...item].length, 0);
		return {
			object: 'list',
			data: list.map((item, index) => ({
				object: 'embedding',
				embedding: embed(item, dimensions).map(single),
				index,
			})),
			model: text(body.model),
			usage: { prompt_tokens: tokens, total_tokens: tokens },
		};
	}

	/** Jina's format, with the documents in the results (docs/protocols/llama-server.md 8.3). */
	protected rerankOf(body: Json): object {
		const documents = [body.documents ?? []].flat().map(String);
		const results = documents
			.map((document, index) => ({
				index,
				document: { text: document },
				relevance_score: relevance(text(body.query), document),
			}))
			.sort((a, b) => b.relevance_score - a.relevance_score)
			.slice(0, typeof body.top_n === 'number' ? body.top_n : documents.length)
			.map((result) => ({ ...result, relevance_score: single(result.relevance_score) }));
		return { model: text(body.model), results };
	}

	protected known(body: Json): SimModel | undefined {
		return this.core.settings.models.find(
			({ id, aliases = [] }) => id === body.model || aliases.includes(text(body.model)),
		);
	}

	protected bearer(request: WireRequest): string | undefined {
		return /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
	}
}
