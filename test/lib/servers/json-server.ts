/** A model server whose answers are JSON by method and path, seen as the package sees it. */
import { createModelServer } from '../../../lib/servers/endpoint';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import type { ScriptedRequest } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const start = useSimulator(startScripted);

/** In place of an answer: no response at all. */
export const HANG = Symbol('hang');

/**
 * What the server answers to `GET /v1/models` and the like, with or without a query. A function makes the answer of the
 * request; `[status, body]` is a refusal. Anything that is not named is 404.
 */
export type Answers = Record<string, unknown>;

export interface JsonServer {
	/** As the operations get it. */
	server: ModelServer;
	/** Method and path of each request so far. */
	requested(): string[];
}

/** Starts the server. The headers are sent with every answer. */
export async function serve(
	answers: Answers,
	headers: Record<string, string> = {},
): Promise<JsonServer> {
	const scripted = await start((request, response) => {
		const { method, path } = request;
		const known = answers[`${method} ${path}`] ?? answers[`${method} ${path.replace(/\?.*/, '')}`];
		const answer: unknown =
			typeof known === 'function' ? (known as (of: ScriptedRequest) => unknown)(request) : known;
		if (answer === HANG) return;
		if (answer === undefined) {
			return sendJson(response, { error: { message: 'File Not Found' } }, 404, headers);
		}
		if (Array.isArray(answer)) return sendJson(response, answer[1], answer[0] as number, headers);
		return sendJson(response, answer, 200, headers);
	});
	const server = createModelServer(
		{
			baseUrl: scripted.url,
			apiKey: ['sk', '9f8e7d6c5b4a3210'].join('-'),
		},
		NO_EXECUTION,
	);
	return {
		server,
		requested: () => scripted.requests.map(({ method, path }) => `${method} ${path}`),
	};
}

/** The body of a list of models. */
export function list(...models: object[]): object {
	return { object: 'list', data: models };
}

/** Headers by which llama-server is known. */
export const LLAMA = { server: 'llama.cpp' };
