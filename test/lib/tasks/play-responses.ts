/** One call of a task at a server that gives certain responses, as a text for an approved table. */
import { createModelServer } from '../../../lib/servers/endpoint';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import { LLAMA_SERVER } from '../../guarantees/support/responses';
import { awaitOutcome } from '../../support/approved/outcome';
import type {
	Answer,
	Routes,
	ScriptedRequest,
	ScriptedServer,
} from '../../support/servers/scripted-server';
import { sendJson } from '../../support/servers/scripted-server';
import { NO_EXECUTION } from '../../support/n8n/node-host';

/** A response: its body as JSON or text, its status and its content type. */
export interface PlayedResponse {
	body: unknown;
	/** Default: 200. */
	status?: number;
	/** Default: that of JSON. */
	type?: string;
}

/** Answers with each response in turn, the last one again and again. */
const toAnswers = (responses: readonly PlayedResponse[]): Answer[] =>
	responses.map(
		({ body, status = 200, type = 'application/json' }): Answer =>
			(_request, response) => {
				if (Buffer.isBuffer(body)) {
					response.writeHead(status, { 'content-type': type });
					response.end(body);
				} else sendJson(response, body, status, { 'content-type': type });
			},
	);

interface Play {
	start(routes: Routes): Promise<ScriptedServer>;
	/** `/v1/rerank`. */
	path: string;
	responses: readonly PlayedResponse[];
	/** Further routes. Default: those of llama-server. */
	routes?: Routes;
	call(server: ModelServer): Promise<unknown>;
	/** How a request is shown. Default: its JSON. */
	show?(request: ScriptedRequest): string;
}

/** The requests that were sent to the path, and what came of them. */
export async function playResponses({
	start,
	path,
	responses,
	routes = LLAMA_SERVER,
	call,
	show = ({ text }) => text,
}: Play): Promise<string> {
	const server = await start({ ...routes, [`POST ${path}`]: toAnswers(responses) });
	const target = createModelServer({ baseUrl: server.url, maxConcurrentRequests: 1 }, NO_EXECUTION);
	const outcome = await awaitOutcome(async () => await call(target));
	const sent = server.requests.filter(({ method }) => method === 'POST').map(show);
	const text = typeof outcome === 'string' ? outcome : JSON.stringify(outcome);
	return [...sent, text]
		.join(' ; ')
		.replaceAll(server.url, 'SERVER')
		.replaceAll(`127.0.0.1:${server.port}`, 'SERVER');
}
