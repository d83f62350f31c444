/**
 * Types the answers of an n8n workflow to programs that speak OpenAI's protocol: Open WebUI, Dify and others. n8n's
 * webhooks stream lines of JSON of their own (n8n, workflow-runner.js), which no OpenAI client reads. This turns them
 * into the events that clients know, and hands all other requests through. It is for the example
 * local-model-as-openai-api, and keeps no key: each request brings its own to n8n.
 *
 *     N8N_WEBHOOKS=http://localhost:5678/webhook/openai PORT=8100 node openai-stream.mjs
 *
 * The address for the clients is then http://localhost:8100/v1.
 */
import { createServer } from 'node:http';

const {
	N8N_WEBHOOKS = 'http://localhost:5678/webhook/openai',
	PORT = '8100',
	// For other machines and containers: 0.0.0.0
	HOST = '127.0.0.1',
} = process.env;
const FAILED = 'The answer could not be made: the execution in n8n says why';
const ROUTES = ['GET /v1/models', 'POST /v1/chat/completions'];
/** A long conversation with much text in it. */
const LARGEST_BODY = 32 * 1024 * 1024;

const bodyOf = async (request) => {
	const pieces = [];
	let bytes = 0;
	for await (const piece of request) {
		bytes += piece.length;
		if (bytes > LARGEST_BODY) throw Object.assign(new Error('The request is too large'), { status: 413 });
		pieces.push(piece);
	}
	return Buffer.concat(pieces).toString();
};

const parsed = (text) => {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
};

async function* linesOf(stream) {
	let rest = '';
	for await (const text of stream.pipeThrough(new TextDecoderStream())) {
		const lines = (rest + text).split('\n');
		rest = lines.pop();
		yield* lines;
	}
	yield rest;
}

/** Everything between the first and the last event: what the agent writes, piece by piece. */
const typeTo = async (response, stream, model) => {
	const head = {
		id: `chatcmpl-${Date.now()}`,
		object: 'chat.completion.chunk',
		created: Math.floor(Date.now() / 1000),
	};
	const send = (event) => response.write(`data: ${JSON.stringify(event)}\n\n`);
	const piece = (delta, reason = null) =>
		send({ ...head, model, choices: [{ index: 0, delta, finish_reason: reason }] });
	const fail = (message) => send({ error: { message, type: 'server_error', param: null, code: null } });

	response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
	piece({ role: 'assistant', content: '' });
	let pieces = 0;
	for await (const line of linesOf(stream)) {
		const { type, content } = parsed(line) ?? {};
		if (type === 'error') return fail(content || FAILED);
		if (type !== 'item' || typeof content !== 'string' || content === '') continue;
		pieces += 1;
		piece({ content });
	}
	if (pieces === 0) return fail(FAILED);
	piece({}, 'stop');
	response.write('data: [DONE]\n\n');
};

const answerTo = async (request, response, signal) => {
	const route = `${request.method} ${request.url}`;
	if (!ROUTES.includes(route)) throw Object.assign(new Error(`There is no ${route}`), { status: 404 });
	const body = request.method === 'POST' ? await bodyOf(request) : undefined;
	const { stream, model } = parsed(body) ?? {};
	const headers = { 'content-type': 'application/json', authorization: request.headers.authorization ?? '' };
	const url = `${N8N_WEBHOOKS}${stream === true ? '/typed' : request.url}`;
	const answer = await fetch(url, { method: request.method, headers, body, signal });
	if (stream === true && answer.ok) await typeTo(response, answer.body, model);
	else {
		const type = answer.headers.get('content-type') ?? 'text/plain';
		response.writeHead(answer.status, { 'content-type': type, 'x-should-retry': 'false' });
		response.write(await answer.text());
	}
};

const server = createServer((request, response) => {
	const gone = new AbortController();
	response.on('close', () => gone.abort());
	answerTo(request, response, gone.signal)
		.catch((error) => {
			const { status = 502, message } = error;
			const text = JSON.stringify({ error: { message, type: 'server_error', param: null, code: null } });
			if (response.headersSent) response.write(`data: ${text}\n\n`);
			else response.writeHead(status, { 'content-type': 'application/json', 'x-should-retry': 'false' }).write(text);
		})
		.finally(() => response.end());
});
server.listen(Number(PORT), HOST, () => console.log(`Listening on ${HOST}:${server.address().port}`));
