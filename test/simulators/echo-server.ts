/**
 * A server that answers every request with an error that echoes the credential, in every form known of llama-server, Dify,
 * gateways and proxies.
 */
import { listen } from '../support/listen';
import { http, setImmediate } from '../support/node-builtins';

interface EchoedRequest {
	method: string;
	url: string;
	headers: Record<string, string>;
}

export interface EchoServer {
	url: string;
	requests: EchoedRequest[];
	/** Address for this fault. */
	at(fault: string): string;
	close(): Promise<void>;
}

interface Echo {
	/** All echoed data, in all forms. */
	said: string;
	/** The same without characters that a header or a line cannot hold. */
	line: string;
	key: string;
	elsewhere: string;
}

interface Fault {
	status?: number;
	reason?: string;
	headers?: Record<string, string>;
	body?: string | string[];
	/** Sent instead of an HTTP answer. */
	raw?: string;
	/** The connection is cut after the body. */
	cut?: boolean;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const STREAM = { 'content-type': 'text/event-stream' };
const PAGE = { 'content-type': 'text/html; charset=utf-8' };

const error = (fields: object) =>
	JSON.stringify({ error: { type: 'invalid_request_error', ...fields } });
const event = (fields: object) => `data: ${JSON.stringify(fields)}\n\n`;
const delta = (content: string) => event({ choices: [{ index: 0, delta: { content } }] });
const completion = (content: string) => ({
	id: 'x',
	object: 'chat.completion',
	choices: [
		{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content }, text: content },
	],
});

/** Faults by name. */
export const FAULTS: Readonly<Record<string, (echo: Echo) => Fault>> = {
	refusedInJson: ({ said, key }) => ({
		status: 401,
		headers: JSON_TYPE,
		body: error({
			message: `Invalid API key: ${said}`,
			param: key,
			headers: { [key]: said },
			code: key,
		}),
	}),
	failedInJson: ({ said }) => ({
		status: 500,
		headers: JSON_TYPE,
		body: error({ message: said, code: 500 }),
	}),
	refusedByDify: ({ said, key }) => ({
		status: 400,
		headers: { ...JSON_TYPE, 'x-version': '1.14.2' },
		body: JSON.stringify({ code: 'invalid_param', message: said, params: key, status: 400 }),
	}),
	failedInDify: ({ said, key }) => ({
		status: 500,
		headers: { ...JSON_TYPE, 'x-version': key },
		body: JSON.stringify({ code: 'internal_server_error', message: said, status: 500 }),
	}),
	detailOfFastApi: ({ said }) => ({
		status: 422,
		headers: JSON_TYPE,
		body: JSON.stringify({ detail: [{ loc: ['header', said], msg: said, input: said }] }),
	}),
	textBehindFilling: ({ said }) => ({
		status: 500,
		headers: { 'content-type': 'text/plain' },
		body: `${'x'.repeat(150)} ${said}\n`.repeat(20),
	}),
	page: ({ said }) => ({
		status: 403,
		headers: PAGE,
		body: `<!doctype html><html><head><title>Refused ${said}</title></head><body><h1>${said}</h1><!-- ${said} --></body></html>`,
	}),
	pageInPlaceOfAnswer: ({ said }) => ({
		headers: PAGE,
		body: `<!doctype html><html><head><title>Sign in ${said}</title></head><body>${said}</body></html>`,
	}),
	wordsInPlaceOfAnswer: ({ said }) => ({
		headers: { 'content-type': 'text/plain' },
		body: `It works! ${said}`,
	}),
	otherJson: ({ said, key }) => ({
		headers: JSON_TYPE,
		body: JSON.stringify({
			headers: { authorization: said, [key]: key },
			error: said,
			message: said,
			result: said,
		}),
	}),
	listsOfEchoes: ({ said, key }) => ({
		headers: JSON_TYPE,
		body: JSON.stringify({
			...completion(said),
			has_more: false,
			total: 1,
			page: 1,
			limit: 20,
			answer: said,
			text: said,
			data: [
				{
					id: key,
					name: said,
					object: 'model',
					owned_by: said,
					aliases: [key],
					status: { value: key },
				},
			],
			models: [{ name: key, model: key, details: { family: said } }],
		}),
	}),
	answerOfEchoes: ({ said }) => ({
		headers: STREAM,
		body: [
			delta(said),
			event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
			'data: [DONE]\n\n',
		],
	}),
	errorInStream: ({ said, key }) => ({
		headers: STREAM,
		body: [delta('Well, '), event({ error: { message: said, code: key, type: 'server_error' } })],
	}),
	errorOfDifyInStream: ({ said, key }) => ({
		headers: STREAM,
		body: [
			event({
				event: 'message',
				answer: 'Well, ',
				task_id: 't',
				message_id: 'm',
				conversation_id: 'c',
			}),
			event({
				event: 'error',
				code: key,
				message: said,
				status: 400,
				task_id: 't',
				message_id: 'm',
			}),
		],
	}),
	failedNodeOfDify: ({ said, key }) => ({
		headers: STREAM,
		body: [
			event({ event: 'workflow_started', task_id: 't', workflow_run_id: 'r', data: { id: 'r' } }),
			event({
				event: 'node_finished',
				task_id: 't',
				workflow_run_id: 'r',
				data: {
					id: 'n',
					node_id: 'n',
					node_type: 'llm',
					title: key,
					status: 'failed',
					error: said,
				},
			}),
			event({
				event: 'workflow_finished',
				task_id: 't',
				workflow_run_id: 'r',
				data: { id: 'r', status: 'failed', error: said, outputs: { text: said } },
			}),
		],
	}),
	strayLines: ({ line }) => ({
		headers: STREAM,
		body: [
			delta('Well, '),
			`error: ${JSON.stringify({ message: line })}\n`,
			`proxy error: ${line}\n\n`,
		],
	}),
	brokenEvents: ({ said }) => ({ headers: STREAM, body: [`data: {"choices": [${said}\n\n`] }),
	linesOfJson: ({ said }) => ({
		headers: { 'content-type': 'application/x-ndjson' },
		body: [
			`${JSON.stringify({ message: { content: 'Well, ' }, done: false })}\n`,
			`${JSON.stringify({ error: said })}\n`,
		],
	}),
	cutOff: ({ said }) => ({
		headers: { ...JSON_TYPE, 'content-length': '99999' },
		body: `{"data": "${said}`,
		cut: true,
	}),
	noHttp: ({ line }) => ({ raw: `SSH-2.0-${line}\r\n` }),
	badHeader: ({ line, key }) => ({
		raw: `HTTP/1.1 200 OK\r\nX-${key} : ${line}\r\nContent-Length: x${key}\r\n\r\n`,
	}),
	headers: ({ key }) => ({
		status: 401,
		reason: `Refused ${key}`,
		headers: {
			...JSON_TYPE,
			'www-authenticate': `Bearer realm="${key}"`,
			'x-request-id': key,
			'x-squid-error': `ERR_ACCESS_DENIED ${key}`,
			'content-disposition': `attachment; filename="${key}.txt"`,
			'set-cookie': `key=${key}`,
			server: key,
		},
		body: '{}',
	}),
	encoded: ({ key }) => ({ headers: { ...JSON_TYPE, 'content-encoding': key }, body: '{}' }),
	redirectElsewhere: ({ elsewhere }) => ({
		status: 307,
		headers: { location: `${elsewhere}/there` },
	}),
	redirectElsewhereWithKey: ({ elsewhere, key }) => ({
		status: 307,
		headers: {
			location: `${elsewhere}/login?back=${encodeURIComponent(`/x?key=${key}`)}&key=${key}`,
		},
	}),
	redirectNowhere: ({ key }) => ({
		status: 307,
		headers: { location: `ftp://elsewhere.example/${key}` },
	}),
	redirectWithin: ({ key }) => ({ status: 307, headers: { location: `/f/page/login?key=${key}` } }),
};

/** Headers that are not part of a credential. */
const USUAL =
	/^(?:accept|accept-encoding|connection|content-length|content-type|host|transfer-encoding|user-agent)$/;

/**
 * Starts the server. Each fault has its own address, `/f/<fault>`; any other path is answered without an echo.
 *
 * @param forms returns all forms of an echoed text
 * @param elsewhere another host, for redirects
 */
export async function startEchoServer(
	forms: (text: string) => Record<string, string>,
	elsewhere = '',
): Promise<EchoServer> {
	const requests: EchoedRequest[] = [];
	const server = http.createServer((request, response) => {
		const headers = request.headers as Record<string, string>;
		const path = request.url ?? '/';
		requests.push({ method: request.method ?? '', url: path, headers });
		request.resume();
		const fault = FAULTS[/^\/f\/(\w+)/.exec(path)?.[1] ?? ''];
		if (fault === undefined) return void response.writeHead(404, JSON_TYPE).end('{}');
		const {
			status = 200,
			reason,
			headers: own = {},
			body = '',
			raw,
			cut,
		} = fault(echoOf(headers, forms, elsewhere));
		if (raw !== undefined) return void request.socket.end(raw);
		// A header cannot hold everything.
		const sendable = Object.entries(own).map(
			([name, value]) => [name, value.replace(/[^\x20-\x7E]/g, '?')] as const,
		);
		response.writeHead(status, reason?.replace(/[^\x20-\x7E]/g, '?'), Object.fromEntries(sendable));
		for (const piece of [body].flat()) response.write(piece);
		if (cut === true) setImmediate(() => request.socket.destroy());
		else response.end();
	});
	const port = await listen(server);
	const url = `http://127.0.0.1:${port}`;
	return {
		url,
		requests,
		at: (fault) => `${url}/f/${fault}`,
		close: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

function echoOf(
	headers: Record<string, string>,
	forms: (text: string) => Record<string, string>,
	elsewhere: string,
): Echo {
	const own = Object.entries(headers).filter(([name]) => !USUAL.test(name));
	const secrets = own.flatMap(([name, value]) => [name, value, value.replace(/^\S+ /, '')]);
	const basic = own.flatMap(([, value]) => {
		const encoded = /^Basic (\S+)$/.exec(value)?.[1];
		return encoded === undefined ? [] : [Buffer.from(encoded, 'base64').toString()];
	});
	const echoed = [...new Set([...secrets, ...basic])]
		.flatMap((text) => Object.values(forms(text)))
		.join(' | ');
	const key = (headers.authorization ?? headers['x-api-key'] ?? '').replace(/^\S+ /, '');
	return { said: echoed, line: echoed.replace(/[\r\n]/g, ' '), key, elsewhere };
}
