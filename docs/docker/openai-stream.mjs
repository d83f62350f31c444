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
import { createServer, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

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
/** A model that thinks, or a tool at work, says nothing for minutes; something between may close a silent connection. */
const PING_MS = 15_000;

const problem = (status, message) => Object.assign(new Error(message), { status });
const asJson = (message) =>
	JSON.stringify({ error: { message, type: 'server_error', param: null, code: null } });

const textOf = async (stream) => {
	const pieces = [];
	let bytes = 0;
	for await (const piece of stream) {
		bytes += piece.length;
		if (bytes > LARGEST_BODY) throw problem(413, 'The request is too large');
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
	for await (const text of stream.setEncoding('utf8')) {
		const lines = (rest + text).split('\n');
		rest = lines.pop();
		yield* lines;
	}
	yield rest;
}

/** Without a limit of time, which `fetch` has: a slow model may take long. */
const askN8n = async (path, { method, headers }, body, signal) =>
	await new Promise((resolve, reject) => {
		const url = `${N8N_WEBHOOKS}${path}`;
		const given = {
			'content-type': 'application/json',
			authorization: headers.authorization ?? '',
		};
		(url.startsWith('https:') ? httpsRequest : httpRequest)(
			url,
			{ method, headers: given, signal },
			resolve,
		)
			.on('error', reject)
			.end(body);
	});

/** What the agent writes, piece by piece. An end that n8n does not announce is none. */
const typeTo = async (response, stream, model) => {
	const head = {
		id: `chatcmpl-${Date.now()}`,
		object: 'chat.completion.chunk',
		created: Math.floor(Date.now() / 1000),
	};
	const send = (text) => response.write(`data: ${text}\n\n`);
	const piece = (delta, reason = null) =>
		send(JSON.stringify({ ...head, model, choices: [{ index: 0, delta, finish_reason: reason }] }));

	response.writeHead(200, {
		'content-type': 'text/event-stream; charset=utf-8',
		'cache-control': 'no-cache',
	});
	piece({ role: 'assistant', content: '' });
	let hasText = false;
	let last;
	for await (const line of linesOf(stream)) {
		const { type, content } = parsed(line) ?? {};
		last = type ?? last;
		if (type === 'error') return send(asJson(content || FAILED));
		if (type !== 'item' || typeof content !== 'string' || content === '') continue;
		hasText = true;
		piece({ content });
	}
	if (!hasText || last !== 'end') return send(asJson(FAILED));
	piece({}, 'stop');
	send('[DONE]');
};

const answerTo = async (request, response, signal) => {
	const route = `${request.method} ${request.url}`;
	if (!ROUTES.includes(route)) throw problem(404, `There is no ${route}`);
	const body = request.method === 'POST' ? await textOf(request) : undefined;
	const { stream, model } = parsed(body) ?? {};
	const answer = await askN8n(stream === true ? '/typed' : request.url, request, body, signal);
	if (stream === true && answer.statusCode === 200) return await typeTo(response, answer, model);
	const text = await textOf(answer);
	const type = answer.headers['content-type'] ?? 'text/plain';
	response
		.writeHead(answer.statusCode, { 'content-type': type, 'x-should-retry': 'false' })
		.write(text);
};

const server = createServer((request, response) => {
	const gone = new AbortController();
	const ping = setInterval(
		() => response.headersSent && response.write(': n8n is at work\n\n'),
		PING_MS,
	);
	response.on('close', () => {
		clearInterval(ping);
		gone.abort();
	});
	answerTo(request, response, gone.signal)
		.catch((error) => {
			if (error.status === undefined) console.error(error);
			const text = asJson(error.status === undefined ? 'n8n does not answer' : error.message);
			if (response.headersSent) response.write(`data: ${text}\n\n`);
			else {
				const headers = { 'content-type': 'application/json', 'x-should-retry': 'false' };
				response.writeHead(error.status ?? 502, headers).write(text);
			}
		})
		.finally(() => response.end());
});
server.listen(Number(PORT), HOST, () =>
	console.log(`Listening on ${HOST}:${server.address().port}`),
);
