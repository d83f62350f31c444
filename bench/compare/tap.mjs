/**
 * A proxy between n8n and the real llama-server. It records every request and answer and when n8n closes a connection,
 * and can delay an answer, cut it, end it with an error, or refuse it as a server that loads its model.
 */
import { createServer, request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { ollamaLines, toChatCompletions } from './ollama.mjs';

/** @typedef {import('./types').Dialect} Dialect */
/** @typedef {import('./types').TapRequest} TapRequest */

const LOADING = JSON.stringify({
	error: { message: 'Loading model', type: 'unavailable_error', code: 503 },
});
/** The error record of llama-server's streams, which stands in for Ollama's too. */
const STREAM_ERROR = { code: 500, message: 'Compute error.', type: 'server_error' };
/** A record that carries text of the answer. */
const TEXT = /"content":"[^"]|"delta":"[^"]/;

/** @param {import('node:http').IncomingMessage} message */
const wholeBody = async (message) => {
	const parts = [];
	for await (const part of message) parts.push(part);
	return Buffer.concat(parts);
};

/**
 * @param {string | undefined} path
 * @returns {Dialect}
 */
const dialectOf = (path = '') =>
	path.includes('/responses')
		? 'responses'
		: path.includes('/api/chat')
			? 'ollama'
			: 'chatCompletions';

/** @param {string} text */
const parse = (text) => {
	try {
		return JSON.parse(text);
	} catch {
		return {};
	}
};

/**
 * Splits a stream into records: events or lines, with the separator that ends them.
 *
 * @param {AsyncIterable<Buffer>} stream
 * @param {string} end
 */
async function* recordsOf(stream, end) {
	let rest = '';
	const decoder = new TextDecoder();
	for await (const bytes of stream) {
		const records = (rest + decoder.decode(bytes, { stream: true })).split(end);
		rest = records.pop() ?? '';
		for (const record of records) yield record + end;
	}
	if (rest) yield rest;
}

/**
 * llama-server's token counts of an answer, from the last events of any of its streams.
 *
 * @param {string} record
 * @returns {TapRequest['counted']}
 */
const countedIn = (record) => {
	const json = parse(record.replace(/^(event: .*\n)?data: /, ''));
	const usage = json.usage ?? json.response?.usage;
	if (!usage) return undefined;
	return {
		prompt: usage.prompt_tokens ?? usage.input_tokens,
		completion: usage.completion_tokens ?? usage.output_tokens,
	};
};

/**
 * @param {string} upstream address of llama-server
 * @param {import('./types').Faults} [faults]
 * @returns {Promise<import('./types').Tap>}
 */
export const startTap = async (upstream, faults = {}) => {
	/** @type {TapRequest[]} */
	const requests = [];
	/** @type {number | undefined} */
	let firstAt;

	/**
	 * @param {import('node:http').ServerResponse} response
	 * @param {TapRequest} seen
	 * @param {AsyncIterable<string> | string[]} records
	 * @param {Dialect} dialect
	 */
	const send = async (response, seen, records, dialect) => {
		let texts = 0;
		for await (const record of records) {
			if (response.destroyed) return;
			if (TEXT.test(record)) texts += 1;
			if (faults.end && texts > (faults.endAfterText ?? 0)) {
				if (faults.end === 'cut') {
					// Let the sent data arrive, then drop the connection without ending the body.
					await delay(50);
					response.destroy();
				} else {
					const error =
						dialect === 'ollama'
							? `${JSON.stringify({ error: STREAM_ERROR.message })}\n`
							: `data: ${JSON.stringify({ error: STREAM_ERROR })}\n\n`;
					seen.records.push(error);
					response.end(error);
				}
				return;
			}
			seen.records.push(record);
			response.write(record);
		}
		response.end();
	};

	/**
	 * @param {import('node:http').IncomingMessage} incoming
	 * @param {import('node:http').ServerResponse} response
	 */
	const handle = async (incoming, response) => {
		const atMs = performance.now();
		firstAt ??= atMs;
		const bytes = await wholeBody(incoming);
		const path = incoming.url ?? '/';
		const dialect = dialectOf(path);
		const body = parse(bytes.toString());
		/** @type {TapRequest} */
		const seen = { path, body, atMs, status: 200, records: [] };
		// Other methods ask about the server.
		const generates = incoming.method === 'POST';
		if (generates) requests.push(seen);
		const left = new AbortController();
		response.on('close', () => {
			if (response.writableFinished) return;
			seen.leftAtMs = performance.now();
			left.abort();
		});
		if (faults.loadingMs !== undefined && atMs - firstAt < faults.loadingMs) {
			seen.status = 503;
			response.writeHead(503, { 'content-type': 'application/json; charset=utf-8' }).end(LOADING);
			return;
		}
		const isUnknown =
			dialect === 'ollama'
				? path !== '/api/chat'
				: faults.onlyV1 === true && !/^\/v1\/(chat\/completions|responses|models)$/.test(path);
		if (isUnknown) {
			seen.status = 404;
			response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found');
			return;
		}
		if (generates && faults.holdMs !== undefined)
			await delay(faults.holdMs, undefined, { signal: left.signal });
		const translated = dialect === 'ollama';
		const type = translated ? 'application/x-ndjson' : 'text/event-stream';
		if (generates && faults.answer) {
			response.writeHead(200, {
				'content-type': translated || body.stream === true ? type : 'application/json',
			});
			await send(response, seen, faults.answer(body, dialect), dialect);
			return;
		}
		const { host: _host, 'content-length': _length, ...headers } = incoming.headers;
		const outgoing = httpRequest(upstream + (translated ? '/v1/chat/completions' : path), {
			method: incoming.method,
			headers,
			signal: left.signal,
		});
		outgoing.end(translated ? JSON.stringify(toChatCompletions(body)) : bytes);
		/** @type {import('node:http').IncomingMessage} */
		const answer = await new Promise((resolve, reject) =>
			outgoing.once('response', resolve).once('error', reject),
		);
		seen.status = answer.statusCode ?? 0;
		const isStream = answer.headers['content-type']?.startsWith('text/event-stream') === true;
		if (!isStream) {
			const text = (await wholeBody(answer)).toString();
			seen.records.push(text);
			seen.counted = countedIn(text);
			const shown = translated
				? JSON.stringify({ error: parse(text).error?.message ?? text })
				: text;
			response
				.writeHead(seen.status, { 'content-type': 'application/json; charset=utf-8' })
				.end(shown);
			return;
		}
		response.writeHead(seen.status, { 'content-type': type });
		response.flushHeaders();
		const lines = ollamaLines();
		const records = (async function* () {
			for await (const record of recordsOf(answer, '\n\n')) {
				seen.counted = countedIn(record) ?? seen.counted;
				if (translated) yield* lines(record);
				else yield record;
			}
		})();
		await send(response, seen, records, dialect);
		if (faults.end) answer.destroy();
	};

	const server = createServer((incoming, response) => {
		// Either side may close the connection at any moment, by design.
		handle(incoming, response).catch(() => response.destroy());
	});
	server.requestTimeout = 0;
	await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
	const address = server.address();
	return {
		url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
		requests,
		stop: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
};
