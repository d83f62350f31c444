/**
 * Further responses of the server of a recording: those that identify it, its models, its template. From recordings if
 * there are some, otherwise according to its documentation and sources (docs/protocols/).
 */
import { recordedExchanges } from '../../support/files/recorded-exchanges';
import type { ScriptedRequest } from '../../support/servers/scripted-server';
import { fixture, httpFixture } from '../../support/servers/streams';
import { objectIn, pathOf } from './exchange';
import type { Exchange, Json, ServerName } from './exchange';

/** Responses by method and path; `GET /props?`: with any query; `*`: every other endpoint. */
export type Routes = Readonly<Record<string, Buffer>>;

const LLAMA = 'llama-server-v0.5.0';
const OLLAMA = 'ollama-v0.17.4';
const SWAP = 'llama-swap-0bdb372';

export function answerOf(status: string, body: string, headers: Json = {}): Buffer {
	const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
	const length = Buffer.byteLength(body);
	return Buffer.from(
		`HTTP/1.1 ${status}\r\n${lines.join('')}Content-Length: ${length}\r\n\r\n${body}`,
	);
}

function jsonAnswer(body: unknown, status = '200 OK', headers: Json = {}): Buffer {
	const type = { 'Content-Type': 'application/json' };
	return answerOf(status, JSON.stringify(body), { ...type, ...headers });
}

/** The response of an exchange of a topic. */
function recorded(topic: string, name: string): Buffer {
	const found = recordedExchanges(topic).find((one) => one.name === name);
	if (found === undefined) throw new Error(`No ${name} in ${topic}`);
	const { status, headers, text = '' } = found.answer;
	const keptHeaders = headers.filter(([key]) => !/^(content-length|transfer-encoding)$/i.test(key));
	return answerOf(String(status), text, Object.fromEntries(keptHeaders));
}

const notFound = (body: string, type = 'text/plain') =>
	answerOf('404 Not Found', body, { 'Content-Type': type });

/** The recorded properties with another chat template: that of the file the server was started with. */
function propsWith(template: string): Buffer {
	const { headers, body } = httpFixture(`${LLAMA}/props.http`);
	const props = objectIn(body.toString('utf8'));
	const server = Object.fromEntries(headers.filter(([name]) => /^server$/i.test(name)));
	return jsonAnswer(
		{ ...props, chat_template: fixture(template).toString('utf8') },
		'200 OK',
		server,
	);
}

const plainLlama: Routes = {
	'GET /v1/models': fixture(`${LLAMA}/models.http`),
	'GET /models': fixture(`${LLAMA}/models.http`),
	'GET /props': fixture(`${LLAMA}/props.http`),
	'GET /props?': fixture(`${LLAMA}/props.http`),
	'GET /health': fixture(`${LLAMA}/health.http`),
	'*': fixture(`${LLAMA}/not-found.http`),
};

function llamaWith(props: Buffer, models: Buffer = plainLlama['GET /v1/models']!): Routes {
	return {
		...plainLlama,
		'GET /v1/models': models,
		'GET /models': models,
		'GET /props': props,
		'GET /props?': props,
	};
}

const router: Routes = {
	...plainLlama,
	'GET /v1/models': fixture(`${LLAMA}/router-models-loaded.http`),
	'GET /models': fixture(`${LLAMA}/router-models-loaded.http`),
	'GET /props': fixture(`${LLAMA}/router-props.http`),
	'GET /props?': fixture(`${LLAMA}/router-props-model.http`),
};

/** The router whose model another client has unloaded. */
const routerWithoutModel: Routes = {
	...router,
	'GET /v1/models': fixture(`${LLAMA}/router-models.http`),
	'GET /models': fixture(`${LLAMA}/router-models.http`),
};

/** Identities of llama-server by names of recordings; the first match counts. */
const LLAMA_HOMES: ReadonlyArray<readonly [name: RegExp, routes: Routes]> = [
	[/router/, router],
	[
		/^(embed|nan)-/,
		llamaWith(
			recorded(`${LLAMA}/embeddings`, 'embed-props'),
			recorded(`${LLAMA}/embeddings`, 'embed-models'),
		),
	],
	[
		/^rank-/,
		llamaWith(
			recorded(`${LLAMA}/rerank`, 'rank-props'),
			recorded(`${LLAMA}/rerank`, 'rank-models'),
		),
	],
	[/think|budget/, llamaWith(propsWith('chatml-thinking.jinja'))],
	[/template/, llamaWith(propsWith('strict.jinja'))],
	[/tool|schema|prefill/, llamaWith(fixture(`${LLAMA}/props-tools.http`))],
	[/^/, plainLlama],
];

const ollamaShared: Routes = {
	'GET /': fixture(`${OLLAMA}/root.http`),
	'GET /api/version': fixture(`${OLLAMA}/version.http`),
	'GET /api/ps': recorded(`${OLLAMA}/models`, 'ps-empty'),
	'GET /api/tags': recorded(`${OLLAMA}/models`, 'tags'),
	'POST /api/show': recorded(`${OLLAMA}/models`, 'show-unknown'),
	'*': fixture(`${OLLAMA}/not-found.http`),
};

function ollamaHome(model: string): Routes {
	const list = recorded(`${OLLAMA}/chat`, 'v1-models');
	const hasShow = recordedExchanges(`${OLLAMA}/chat`).some(({ name }) => name === `show-${model}`);
	if (!hasShow) return { ...ollamaShared, 'GET /v1/models': fixture(`${OLLAMA}/models.http`) };
	const show = recorded(`${OLLAMA}/chat`, `show-${model}`);
	return { ...ollamaShared, 'GET /v1/models': list, 'POST /api/show': show };
}

const listOf = (model: string, more: Json) =>
	jsonAnswer({ object: 'list', data: [{ id: model, object: 'model', ...more }] });

const pageNotFound = notFound('{"detail":"Not Found"}', 'application/json');

/** Servers without recorded lists: the fields that identify them according to docs/protocols. */
const HOMES: Readonly<Record<ServerName, (exchange: Exchange) => Routes>> = {
	'llama-server': ({ name }) => LLAMA_HOMES.find(([pattern]) => pattern.test(name))![1],
	'llama-swap': () => ({
		'GET /v1/models': fixture(`${SWAP}/models.http`),
		'GET /api/version': fixture(`${SWAP}/api-version.http`),
		'GET /health': fixture(`${SWAP}/health.http`),
		'GET /running': fixture(`${SWAP}/running-chat.http`),
		'GET /props': fixture(`${SWAP}/props-no-model.http`),
		'GET /props?': fixture(`${SWAP}/props-model.http`),
		'*': fixture(`${SWAP}/not-found.http`),
	}),
	'whisper.cpp': () => ({
		'GET /health': recorded('whisper.cpp-233fe1f/server', 'health'),
		'*': recorded('whisper.cpp-233fe1f/server', 'not-found'),
	}),
	fastapi: () => ({
		'GET /v1/models': fixture('fastapi-0.165.0/models-bearer.http'),
		'*': fixture('fastapi-0.165.0/health-404.http'),
	}),
	gpustack: (exchange) => ({
		'GET /v1/models': listOf(modelOf(exchange), { created: 1, owned_by: 'gpustack' }),
		'*': pageNotFound,
	}),
	litellm: (exchange) => ({
		'GET /v1/models': listOf(modelOf(exchange), { created: 1677610602, owned_by: 'openai' }),
		'*': pageNotFound,
	}),
	ollama: (exchange) => ollamaHome(modelOf(exchange)),
	tei: () => ({ 'GET /info': fixture('tei/info.http'), '*': notFound('') }),
	vllm: (exchange) => ({
		'GET /v1/models': listOf(modelOf(exchange), {
			created: 1,
			owned_by: 'vllm',
			max_model_len: 4096,
		}),
		'GET /version': jsonAnswer({ version: '0.32.0' }),
		'GET /health': answerOf('200 OK', ''),
		'*': pageNotFound,
	}),
};

/** @param isAnswered - The recorded response was sent: what it says is so. */
export function getIdentityRoutes(exchange: Exchange, isAnswered = false): Routes {
	if (isAnswered && exchange.name === 'error-router-unload-idle') return routerWithoutModel;
	return HOMES[exchange.server](exchange);
}

/** The requested model: from the request, otherwise from the response. */
export function modelOf({ request, answer }: Exchange): string {
	const { model } = request.body;
	if (typeof model === 'string' && model !== '') return model;
	return /"model": ?"([^"]+)"/.exec(answer.toString('utf8'))?.[1] ?? 'smollm2';
}

/** Prefix of the API endpoints: `/v1`, `/crash/v1`, or nothing. */
export function apiPathOf({ request }: Exchange): string {
	return /^(.*\/v1)\//.exec(pathOf(request))?.[1] ?? '';
}

/** @returns the server's response for an endpoint that was not recorded */
export function identityResponse(
	exchange: Exchange,
	{ method, path: url }: Pick<ScriptedRequest, 'method' | 'path'>,
	isAnswered = false,
): Buffer {
	const routes = getIdentityRoutes(exchange, isAnswered);
	const [path = '', query] = url.slice(apiPathOf(exchange).replace(/\/v1$/, '').length).split('?');
	const withQuery = query === undefined ? undefined : routes[`${method} ${path}?`];
	return withQuery ?? routes[`${method} ${path}`] ?? routes['*']!;
}
