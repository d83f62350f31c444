/**
 * Gateways, and LM Studio: only the parts that identify them. llama-swap after its
 * recordings, the others after their sources (see lib/servers/types).
 */
import type { HeaderList } from '../wire-reply';
import type { WireRequest } from '../raw-http';
import type { Json } from './chat';
import { SimError } from './errors';
import { OtherServerApp, type OtherServerHandler } from './other-servers';
import type { Core } from './core';
import type { ImitatorProfile, SimModel } from './options';

interface ImitatedServer {
	/** An entry of the model list. */
	model(model: SimModel): Json;
	/** Responses of other routes: a JSON object or a text. */
	routes: Record<string, object | string>;
	/** Headers of every response. */
	headers?: HeaderList;
	/** Headers of chat responses. */
	chatHeaders?: HeaderList;
	/** The body of a 401. */
	refusal: object;
	/** The response for an unknown route. */
	missing: { status: number; body: object };
}

const CREATED = 1763625600;
const OPENAI_KEY_ERROR = {
	error: { message: 'Invalid API key', type: 'invalid_request_error', code: 'invalid_api_key' },
};
const plain404 = { status: 404, body: { raw: '404 page not found\n' } };
const json404 = { status: 404, body: { detail: 'Not Found' } };

export const IMITATED_SERVERS: Record<ImitatorProfile, ImitatedServer> = {
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
	'lm-studio': {
		model: ({ id }) => ({ id, object: 'model', owned_by: 'organization_owner' }),
		routes: {},
		refusal: OPENAI_KEY_ERROR,
		missing: { status: 200, body: { error: 'Unexpected endpoint or method. (GET /api/version)' } },
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
		private readonly looks: ImitatedServer,
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
		const model = this.known(body);
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
