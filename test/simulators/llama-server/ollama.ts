/** Ollama: its OpenAI-compatible and native routes (docs/protocols/llama-server.md 8.2). */
import { type HeaderList, sendReply, type WireReply } from '../wire-reply';
import type { Exchange } from '../raw-http';
import type { ChatTask, Json } from './chat';
import { defaultAnswer } from './default-answer';
import { embed } from './embeddings';
import { SimError } from './errors';
import { OtherServerApp, type OtherServerHandler } from './other-servers';
import { CUT_OFF, loadLine, nativeError, nativeTask, ndjson, wholeLine } from './ollama-native';
import type { SimModel } from './options';
import { reply } from './reply';

const MODIFIED = '2026-08-01T08:00:00Z';
const DIGEST = 'a'.repeat(64);
const MAX_QUEUE = 512;

const DETAILS = {
	parent_model: '',
	format: 'gguf',
	family: 'llama',
	families: ['llama'],
	parameter_size: '134.52M',
	quantization_level: 'Q4_1',
};

const detailsOf = ({ size = DETAILS.parameter_size }: SimModel) => ({
	...DETAILS,
	parameter_size: size,
});

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export class OllamaApp extends OtherServerApp {
	protected override readonly streamType = 'text/event-stream';
	/** Last requested context size of each model. */
	private readonly contexts = new Map<string, number>();

	/** Go's server sends no `Server` header. */
	protected override always(): HeaderList {
		return [['Date', new Date().toUTCString()]];
	}

	protected routes(): Record<string, OtherServerHandler> {
		const { settings } = this.core;
		const native = (model: SimModel): object => ({
			name: model.id,
			model: model.id,
			size: 96576768,
			digest: DIGEST,
			details: detailsOf(model),
			...(model.remoteHost === undefined
				? {}
				: { remote_model: model.id, remote_host: model.remoteHost }),
		});
		const openAi = ({ id }: SimModel): object => ({
			id,
			object: 'model',
			created: 1785571200,
			owned_by: 'library',
		});
		const running: OtherServerHandler = () => ({
			status: 200,
			headers: [['Content-Type', 'text/plain; charset=utf-8']],
			body: 'Ollama is running',
		});
		return {
			'GET /': running,
			'GET /api/version': () => ({ version: '0.12.0' }),
			'GET /api/tags': () => ({
				models: settings.models.map((model) => ({ ...native(model), modified_at: MODIFIED })),
			}),
			'GET /api/ps': () => ({
				models: settings.models
					.filter(({ status }) => status !== 'unloaded')
					.map((model) => ({
						...native(model),
						expires_at: MODIFIED,
						size_vram: 0,
						context_length: this.contexts.get(model.id) ?? model.nCtx ?? settings.nCtx,
					})),
			}),
			'POST /api/show': ({ request }) => this.show(this.parse(request)),
			'POST /api/chat': async (exchange) => await this.nativeChat(exchange),
			'POST /api/embed': ({ request }) => this.nativeEmbed(this.parse(request)),
			'GET /v1/models': () => ({ object: 'list', data: settings.models.map(openAi) }),
			...Object.fromEntries(
				settings.models.map((model) => [`GET /v1/models/${model.id}`, () => openAi(model)]),
			),
			'POST /v1/chat/completions': async (exchange) => await this.chat(exchange),
			'POST /v1/embeddings': ({ request }) => {
				const body = this.parse(request);
				this.findModel(body);
				return this.embeddingsOf(body);
			},
		};
	}

	/** Keys are ignored. */
	protected checkKey(): void {}

	private error(status: number, message: string): SimError {
		const type =
			status === 400 ? 'invalid_request_error' : status === 404 ? 'not_found_error' : 'api_error';
		return new SimError(status, { error: { message, type, param: null, code: null } });
	}

	protected notFound(): SimError {
		return new SimError(404, { raw: '404 page not found' });
	}

	protected badBody(problem: string): SimError {
		return this.error(
			400,
			problem.includes('end of input') ? 'unexpected EOF' : `invalid character: ${problem}`,
		);
	}

	protected findModel(body: Json): SimModel {
		const model =
			this.known(body) ??
			this.core.settings.models.find(({ id }) => id === `${text(body.model)}:latest`);
		if (!model) throw this.error(404, `model '${text(body.model)}' not found`);
		return model;
	}

	/** Never refused: the oldest part is silently dropped. */
	protected override fit(task: ChatTask): ChatTask {
		const room = this.core.settings.nCtx - 1;
		return { ...task, prompt: [...task.prompt].slice(-room).join('') };
	}

	protected tooLong(tokens: number): SimError {
		return this.error(400, `prompt of ${tokens} tokens`);
	}

	protected override checkChat(body: Json, model: SimModel): void {
		if (this.core.pool.queued >= MAX_QUEUE) {
			throw this.error(503, 'server busy, please try again.  maximum pending requests exceeded');
		}
		const messages = Array.isArray(body.messages) ? (body.messages as Json[]) : [];
		if (messages.length === 0) throw this.error(400, "[] is too short - 'messages'");
		const assertCapability = (capability: 'tools' | 'thinking'): void => {
			if (model[capability]) return;
			throw this.error(
				400,
				`registry.ollama.ai/library/${model.id} does not support ${capability}`,
			);
		};
		if (Array.isArray(body.tools) && body.tools.length > 0) assertCapability('tools');
		if (body.reasoning_effort !== undefined && body.reasoning_effort !== 'none')
			assertCapability('thinking');
		for (const part of messages.flatMap(({ content }) =>
			Array.isArray(content) ? (content as Json[]) : [],
		)) {
			if (part.type === 'text') continue;
			if (part.type !== 'image_url') throw this.error(400, 'invalid message format');
			const url =
				typeof part.image_url === 'string'
					? part.image_url
					: text((part.image_url as Json | undefined)?.url);
			if (!/^data:(image\/(jpeg|jpg|png|webp))?;base64,/.test(url))
				throw this.error(400, 'invalid image input');
		}
	}

	private nativeModel(body: Json): SimModel {
		const name = text(body.model) || text(body.name);
		const model = [name, name.toLowerCase()]
			.flatMap((one) => [one, `${one}:latest`])
			.map((one) => this.known({ model: one }))
			.find((one) => one !== undefined);
		if (!model) throw nativeError(404, `model '${name}' not found`);
		return model;
	}

	private show(body: Json): object {
		const model = this.nativeModel(body);
		return {
			details: detailsOf(model),
			model_info: {
				'general.architecture': 'llama',
				'llama.context_length': model.nCtx ?? this.core.settings.nCtx,
			},
			capabilities: [
				model.embedding ? 'embedding' : 'completion',
				...(model.tools ? ['tools'] : []),
				...(model.thinking ? ['thinking'] : []),
				...(model.vision ? ['vision'] : []),
			],
			modified_at: MODIFIED,
		};
	}

	private nativeEmbed(body: Json): object {
		const model = this.nativeModel(body);
		const { dimensions = 8 } = this.core.settings.embeddings ?? {};
		const list = [body.input ?? []].flat().map(String);
		return { model: model.id, embeddings: list.map((item) => embed(item, dimensions)) };
	}

	/** One JSON object per line; streams by default. */
	private async nativeChat(exchange: Exchange): Promise<WireReply | undefined> {
		const scripted = await this.core.nextReply(exchange.request);
		if (scripted?.kind === 'plain') {
			await this.core.sendPlain(exchange, scripted, (reply) => this.dress(reply));
			return undefined;
		}
		const { task, model } = this.core.orPutBack(() => {
			if (exchange.request.bytes.length === 0) throw nativeError(400, 'missing request body');
			const body = this.parse(exchange.request);
			const task = nativeTask(body, () => this.nativeModel(body), this.core.settings.nCtx);
			return { task, model: text(body.model) };
		}, scripted);
		this.contexts.set(this.nativeModel({ model }).id, task.contextSize);
		if (task.loadOnly !== undefined) return this.json(200, loadLine(model, task.loadOnly));
		const left = this.fit(task);
		await this.core.generate(exchange, {
			task: left,
			reply:
				task.isCutOff && scripted === undefined
					? reply.chunks([], CUT_OFF(task.contextSize))
					: (scripted ?? defaultAnswer(left)),
			defaulted: scripted === undefined,
			model,
			stream: ndjson,
			whole: (job) => ofOwnApi(this.json(200, wholeLine(job))),
			dress: (reply) => this.dressLines(reply),
			contextLimit: Infinity,
		});
		return undefined;
	}

	private dressLines(reply: WireReply): WireReply {
		const dressed = this.dress(reply);
		const headers = dressed.headers.map(([name, value]): readonly [string, string] =>
			value === this.streamType ? ['Content-Type', 'application/x-ndjson'] : [name, value],
		);
		return { ...dressed, headers };
	}

	/** Ollama's own client sends `HEAD /` to check whether the server runs. */
	protected override async send(exchange: Exchange, reply: WireReply): Promise<void> {
		const { method, path } = exchange.request;
		const typedReply = path.startsWith('/api/') ? ofOwnApi(reply) : reply;
		await sendReply(
			exchange,
			this.dress(method === 'HEAD' ? { ...typedReply, body: '' } : typedReply),
		);
	}
}

/** Native routes name the charset, OpenAI routes do not (recorded). */
const ofOwnApi = (reply: WireReply): WireReply => ({
	...reply,
	headers: reply.headers.map(([name, value]): readonly [string, string] =>
		value === 'application/json' ? [name, 'application/json; charset=utf-8'] : [name, value],
	),
});
