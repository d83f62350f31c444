/** vLLM, GPUStack and a generic FastAPI server (docs/protocols/llama-server.md 8.3, 8.4). */
import type { WireReply } from '../wire-reply';
import type { Exchange, WireRequest } from '../raw-http';
import type { Json } from './chat';
import { SimError } from './errors';
import { OtherServerApp, type OtherServerHandler } from './other-servers';
import type { SimModel } from './options';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const CREATED = 1763625600;

export class VllmApp extends OtherServerApp {
	protected routes(): Record<string, OtherServerHandler> {
		const { settings } = this.core;
		return {
			'GET /health': () => ({ status: 200, headers: [], body: '' }),
			'GET /version': () => ({ version: '0.11.0' }),
			'GET /metrics': () => ({
				status: 200,
				headers: [['content-type', 'text/plain; version=0.0.4']],
				body: '',
			}),
			'GET /v1/models': () => ({
				object: 'list',
				data: settings.models.map(({ id, nCtx }) => ({
					id,
					object: 'model',
					created: CREATED,
					owned_by: 'vllm',
					root: id,
					parent: null,
					max_model_len: nCtx ?? settings.nCtx,
					permission: [
						{
							id: `modelperm-${id}`,
							object: 'model_permission',
							created: CREATED,
							organization: '*',
						},
					],
				})),
			}),
			'POST /v1/chat/completions': async (exchange) => await this.chat(exchange),
			'POST /v1/embeddings': ({ request }) => this.embeddingsOf(this.parse(request)),
			'POST /v1/rerank': ({ request }) => this.rerankOf(this.parse(request)),
		};
	}

	/** Only some prefixes need a key, sent as Bearer (case-insensitive). */
	protected checkKey(request: WireRequest): void {
		const { keys } = this.core.settings;
		if (keys.length === 0 || !/^\/(v1|v2|inference|cohere)\//.test(request.path)) return;
		if (!keys.includes(this.bearer(request) ?? ''))
			throw new SimError(401, { error: 'Unauthorized' });
	}

	private error(
		status: number,
		message: string,
		type: string,
		param: string | null = null,
	): SimError {
		return new SimError(status, { error: { message, type, param, code: status } });
	}

	protected notFound(): SimError {
		return new SimError(404, { detail: 'Not Found' });
	}

	protected badBody(problem: string): SimError {
		return this.error(400, problem, 'Bad Request');
	}

	protected findModel(body: Json): SimModel {
		const model = this.known(body);
		if (!model)
			throw this.error(
				404,
				`The model \`${text(body.model)}\` does not exist.`,
				'NotFoundError',
				'model',
			);
		return model;
	}

	protected tooLong(tokens: number): SimError {
		const { nCtx } = this.core.settings;
		return this.error(
			400,
			`This model's maximum context length is ${nCtx} tokens. However, your request has ${tokens} input tokens. ` +
				'Please reduce the length of the input messages.',
			'BadRequestError',
		);
	}
}

export class GpustackApp extends OtherServerApp {
	protected routes(): Record<string, OtherServerHandler> {
		const models: OtherServerHandler = () => ({
			object: 'list',
			data: this.core.settings.models.map(({ id }) => ({
				id,
				object: 'model',
				created: CREATED,
				owned_by: 'gpustack',
			})),
		});
		const chat: OtherServerHandler = async (exchange) => await this.chat(exchange);
		const vectors: OtherServerHandler = ({ request }) => {
			const body = this.parse(request);
			this.findModel(body);
			return this.embeddingsOf(body);
		};
		return {
			'GET /healthz': () => ({
				status: 200,
				headers: [['content-type', this.jsonType]],
				body: '"ok"',
			}),
			'GET /readyz': () => ({
				status: 200,
				headers: [['content-type', this.jsonType]],
				body: '"ok"',
			}),
			'GET /version': () => ({ version: '2.0.1', git_commit: '47277d7' }),
			'GET /v1/models': models,
			'GET /v1-openai/models': models,
			'POST /v1/chat/completions': chat,
			'POST /v1-openai/chat/completions': chat,
			'POST /v1/embeddings': vectors,
			'POST /v1-openai/embeddings': vectors,
			// The deprecated alias has no rerank route.
			'POST /v1/rerank': ({ request }) => {
				const body = this.parse(request);
				this.findModel(body);
				return this.rerankOf(body);
			},
		};
	}

	protected checkKey(request: WireRequest): void {
		if (['/healthz', '/readyz', '/version'].includes(request.path)) return;
		const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
		const password = basic && Buffer.from(basic, 'base64').toString('utf8').split(':')[1];
		const keys = [this.bearer(request), request.headers['x-api-key'], password];
		if (keys.some((key) => key !== undefined && this.core.settings.keys.includes(key))) return;
		throw new SimError(401, {
			code: 401,
			reason: 'Unauthorized',
			message: 'Invalid authentication credentials',
		});
	}

	private error(status: number, message: string, type: string): SimError {
		return new SimError(status, { error: { message, code: status, type } });
	}

	protected notFound(): SimError {
		return new SimError(404, { code: 404, reason: 'NotFound', message: 'Not Found' });
	}

	protected badBody(problem: string): SimError {
		return this.error(400, problem, 'BadRequest');
	}

	/** Unknown and forbidden models have the same error; a model without a running instance is a 503. */
	protected findModel(body: Json): SimModel {
		if (body.model === undefined) throw this.error(400, "Missing 'model' field", 'BadRequest');
		const model = this.known(body);
		if (!model) throw this.error(404, 'Model not found', 'NotFound');
		if (model.status === 'unloaded')
			throw this.error(503, 'No running instances available', 'ServiceUnavailable');
		return model;
	}

	protected tooLong(tokens: number): SimError {
		return this.error(
			400,
			`request has ${tokens} tokens, the model accepts ${this.core.settings.nCtx}`,
			'BadRequest',
		);
	}
}

export class FastapiApp extends OtherServerApp {
	protected routes(): Record<string, OtherServerHandler> {
		return {
			'GET /v1/models': () => ({
				object: 'list',
				data: this.core.settings.models.map(({ id }) => ({
					id,
					object: 'model',
					created: CREATED,
					owned_by: 'local',
				})),
			}),
			'POST /v1/chat/completions': async (exchange) => await this.chat(exchange),
		};
	}

	/** `x-api-key` or Bearer; none at all is "Not authenticated". */
	protected checkKey(request: WireRequest): void {
		const { keys } = this.core.settings;
		if (keys.length === 0) return;
		const apiKey = request.headers['x-api-key'] ?? this.bearer(request);
		if (apiKey === undefined) throw new SimError(403, { detail: 'Not authenticated' });
		if (!keys.includes(apiKey)) throw new SimError(401, { detail: 'Invalid API key' });
	}

	protected override async send(exchange: Exchange, reply: WireReply): Promise<void> {
		const { path } = exchange.request;
		const known = Object.keys(this.routes()).some((route) =>
			route.endsWith(` ${path.replace(/\/+$/, '')}`),
		);
		// Like Starlette, redirects a trailing slash.
		const redirected = reply.status === 404 && path.endsWith('/') && known;
		const location = `http://${exchange.request.headers.host ?? ''}${path.replace(/\/+$/, '')}`;
		await super.send(
			exchange,
			redirected ? { status: 307, headers: [['location', location]], body: '' } : reply,
		);
	}

	protected notFound({ method, path }: WireRequest): SimError {
		const other = Object.keys(this.routes()).some(
			(route) => route.endsWith(` ${path}`) && !route.startsWith(method),
		);
		return other
			? new SimError(405, { detail: 'Method Not Allowed' })
			: new SimError(404, { detail: 'Not Found' });
	}

	protected badBody(problem: string): SimError {
		return new SimError(422, {
			detail: [{ loc: ['body'], msg: problem, type: 'value_error.jsondecode' }],
		});
	}

	protected override checkChat(body: Json): void {
		if (body.messages !== undefined) return;
		throw new SimError(422, {
			detail: [{ loc: ['body', 'messages'], msg: 'field required', type: 'value_error.missing' }],
		});
	}

	protected findModel(body: Json): SimModel {
		const model = this.known(body);
		if (!model) throw new SimError(404, { detail: `Model ${text(body.model)} not found` });
		return model;
	}

	protected tooLong(tokens: number): SimError {
		return new SimError(400, { detail: `Prompt too long: ${tokens} tokens` });
	}
}
