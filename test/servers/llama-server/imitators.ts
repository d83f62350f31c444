/**
 * Gateways, and servers that imitate others, mostly Ollama: only the parts that identify them. llama-swap after its
 * recordings, the others after their sources (see lib/servers/kinds).
 */
import type { HeaderList } from '../wire-reply';
import type { WireRequest } from '../raw-http';
import type { Json } from './chat';
import { SimError } from './errors';
import { OtherServerApp, type OtherServerHandler } from './other-servers';
import type { Core } from './core';
import type { ImitatorProfile, SimModel } from './options';

interface Looks {
	/** An entry of the list of models. */
	model(model: SimModel): Json;
	/** Answers of further routes: a JSON object, or a text. */
	routes: Record<string, object | string>;
	/** Headers of every answer. */
	headers?: HeaderList;
	/** Headers of answers to chats. */
	chatHeaders?: HeaderList;
	/** The body of a 401. */
	refusal: object;
	/** The answer for an unknown route. */
	missing: { status: number; body: object };
}

const CREATED = 1763625600;
const OPENAI_REFUSAL = {
	error: { message: 'Invalid API key', type: 'invalid_request_error', code: 'invalid_api_key' },
};
const plain404 = { status: 404, body: { raw: '404 page not found\n' } };
const json404 = { status: 404, body: { detail: 'Not Found' } };
const owned = (owner: string) => (model: SimModel) => ({
	id: model.id,
	object: 'model',
	created: CREATED,
	owned_by: owner,
});

export const LOOKS: Record<ImitatorProfile, Looks> = {
	'llama-swap': {
		model: ({ id, aliases, status = 'unloaded' }) => ({
			id,
			object: 'model',
			created: CREATED,
			owned_by: 'llama-swap',
			meta: { llamaswap: { ...(aliases === undefined ? {} : { aliases }), type: 'model' } },
			status: { value: status },
		}),
		routes: {
			'GET /health': 'OK',
			'GET /api/version': { build_date: 'unknown', commit: 'abcd1234', version: '0' },
			'GET /running': { running: [] },
			'GET /metrics': '# HELP llamaswap_cpu_util_percent CPU utilization per core (0-100)\n',
		},
		// llama-server's header, which llama-swap forwards.
		chatHeaders: [['server', 'llama.cpp']],
		refusal: {
			src: 'llama-swap',
			error: {
				message: 'unauthorized: invalid or missing API key',
				type: 'authentication_error',
				code: 'unauthorized',
			},
		},
		missing: plain404,
	},
	localai: {
		model: ({ id }) => ({ id, object: 'model' }),
		routes: {
			'GET /version': { version: 'v4.1.0 (2a9e1f0c4be44a1d8a2b0a9bb0a3e6b1d9c3f5a7)' },
			'GET /api/version': { version: '0.9.0' },
			'GET /api/ps': { models: null },
			'GET /readyz': '',
		},
		refusal: { error: { code: 401, message: 'Authentication failed', type: '' } },
		missing: {
			status: 404,
			body: { error: { code: 404, message: 'Resource not found', type: '' } },
		},
	},
	lemonade: {
		model: ({ id }) => ({
			id,
			object: 'model',
			created: CREATED,
			owned_by: 'lemonade',
			checkpoint: `unsloth/${id}:Q4_0`,
			recipe: 'llamacpp',
			max_context_window: 40960,
			downloaded: true,
		}),
		routes: {
			'GET /api/version': { version: '0.16.1' },
			'GET /api/tags': { models: [] },
			'GET /api/ps': { models: [] },
		},
		refusal: OPENAI_REFUSAL,
		missing: json404,
	},
	koboldcpp: {
		model: ({ id }) => ({
			...owned('koboldcpp')({ id: `koboldcpp/${id}` }),
			permission: [],
			root: 'koboldcpp',
		}),
		routes: { 'GET /api/version': { version: '0.7.0' } },
		headers: [['server', 'KoboldCppServer 1']],
		refusal: { detail: { error: 'Unauthorized' } },
		missing: {
			status: 404,
			body: { raw: 'Error: KoboldCpp HTTP Server is running, but this endpoint does not exist.' },
		},
	},
	'lm-studio': {
		model: ({ id }) => ({ id, object: 'model', owned_by: 'organization_owner' }),
		routes: {},
		refusal: OPENAI_REFUSAL,
		missing: { status: 200, body: { error: 'Unexpected endpoint or method. (GET /api/version)' } },
	},
	sglang: {
		model: ({ id, nCtx = 8192 }) => ({ ...owned('sglang')({ id }), root: id, max_model_len: nCtx }),
		routes: { 'GET /health': '' },
		refusal: { error: 'Unauthorized' },
		missing: json404,
	},
	lmdeploy: {
		model: ({ id }) => ({ ...owned('lmdeploy')({ id }), root: id, parent: null, permission: [] }),
		routes: { 'GET /health': '' },
		refusal: {
			message: 'Unauthorized.',
			type: 'authentication_error',
			code: 401,
			param: null,
			object: 'error',
		},
		missing: json404,
	},
	'docker-model-runner': {
		model: ({ id }) => ({
			...owned('docker')({ id: `docker.io/ai/${id}:latest` }),
			dmr: {
				context_window: 2048,
				architecture: 'llama',
				parameters: '134.52M',
				quantization: 'MOSTLY_Q4_1',
				size: '92.10MiB',
			},
		}),
		routes: {
			'GET /version': { version: 'v1.2.6' },
			'GET /api/version': { version: '0.1.0' },
			'GET /engines/ps': [],
		},
		// llama-server's header, which it passes on.
		chatHeaders: [['server', 'llama.cpp']],
		refusal: OPENAI_REFUSAL,
		missing: plain404,
	},
	tgi: {
		model: ({ id }) => ({ id, object: 'model', created: 0, owned_by: id }),
		routes: { 'GET /health': '' },
		refusal: { error: 'unauthorized' },
		missing: plain404,
	},
	litellm: {
		model: ({ id }) => ({ id, object: 'model', created: 1_677_610_602, owned_by: 'openai' }),
		routes: {},
		headers: [['x-litellm-version', '1.60.0']],
		refusal: {
			error: {
				message: 'Authentication Error, Invalid proxy server token passed',
				type: 'auth_error',
				code: '401',
			},
		},
		missing: json404,
	},
};

export class ImitatorApp extends OtherServerApp {
	constructor(
		core: Core,
		private readonly looks: Looks,
	) {
		super(core);
	}

	protected override always(): HeaderList {
		return [['date', new Date().toUTCString()], ...(this.looks.headers ?? [])];
	}

	protected routes(): Record<string, OtherServerHandler> {
		const fixed = Object.entries(this.looks.routes).map(
			([route, body]): [string, OtherServerHandler] => [
				route,
				() =>
					typeof body === 'string'
						? { status: 200, headers: [['content-type', 'text/plain']], body }
						: body,
			],
		);
		return {
			...Object.fromEntries(fixed),
			'GET /v1/models': () => ({
				object: 'list',
				data: this.core.settings.models.map(this.looks.model),
			}),
			'POST /v1/chat/completions': async (exchange) => await this.chat(exchange),
		};
	}

	protected override dress(
		reply: Parameters<OtherServerApp['dress']>[0],
	): ReturnType<OtherServerApp['dress']> {
		const dressed = super.dress(reply);
		const isChat = dressed.headers.some(
			([name, value]) => name === 'content-type' && value.startsWith('text/event-stream'),
		);
		return isChat
			? { ...dressed, headers: [...dressed.headers, ...(this.looks.chatHeaders ?? [])] }
			: dressed;
	}

	protected checkKey(request: WireRequest): void {
		const { keys } = this.core.settings;
		if (keys.length === 0 || !request.path.startsWith('/v1/')) return;
		if (!keys.includes(this.bearer(request) ?? '')) throw new SimError(401, this.looks.refusal);
	}

	protected notFound(): SimError {
		return new SimError(this.looks.missing.status, this.looks.missing.body);
	}

	protected badBody(problem: string): SimError {
		return new SimError(400, { error: { message: problem, type: 'invalid_request_error' } });
	}

	protected findModel(body: Json): SimModel {
		const model =
			this.known(body) ??
			this.core.settings.models.find(({ id }) => `koboldcpp/${id}` === body.model);
		if (!model)
			throw new SimError(404, {
				error: { message: 'model not found', type: 'invalid_request_error' },
			});
		return model;
	}

	protected tooLong(tokens: number): SimError {
		return new SimError(400, {
			error: { message: `${tokens} tokens are too many`, type: 'invalid_request_error' },
		});
	}
}
