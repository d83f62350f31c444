/** A request while its upload is sent: how long it waits, and a response that comes before the end. */
import type { HttpResponse } from '../../../lib/http/types';
import type { ServerError } from '../../../lib/errors/server-error';
import { TASK_LIMITS } from '../../../lib/task-limits';
import { createModelServer } from '../../../lib/servers/endpoint';
import { request } from '../../../lib/http/request';
import { RetryPolicy } from '../../../lib/http/retry-policy';
import { useClock } from '../../guarantees/support/fake-clock';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { startTcpServer } from '../../support/servers/listen';
import { useSimulator } from '../../simulators/use-simulator';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const serveScript = useSimulator(startScripted);
const clock = useClock();

const SECOND = 1_000;
const FIRST_TOKEN_MS = 60 * SECOND;

const toEndpoint = (origin: string) => ({
	url: { typed: origin, origin, root: origin, api: origin },
	id: origin,
	headers: {},
	ignoreSslIssues: false,
	maxConcurrentRequests: 0,
	getSlots: () => undefined,
	secrets: [],
	errorContext: {},
});

/** Uploads a byte after each of the pauses; returns the response, or how it failed. */
async function upload(pausesMs: readonly number[]): Promise<string> {
	const { url: origin } = await serveScript((_sent, response) => sendJson(response, { ok: true }));
	const content = {
		async *[Symbol.asyncIterator]() {
			for (const ms of pausesMs) {
				await clock.pass(ms);
				yield Buffer.from('a');
			}
		},
	};
	const body = { content, contentType: 'audio/wav', length: pausesMs.length };
	const timeouts = { firstTokenMs: FIRST_TOKEN_MS, idleMs: 0 };
	const sending = request(
		toEndpoint(origin),
		{ url: origin, upload: body, limits: TASK_LIMITS.transcribe.received, timeouts },
		async (response: HttpResponse) => await response.text(),
	);
	return await clock.passUntil(sending).catch(({ type }: ServerError) => type);
}

test.each([
	{
		what: 'nine minutes in parts',
		pausesMs: Array<number>(10).fill(54 * SECOND),
		result: '{"ok":true}',
	},
	{ what: 'one long pause at last', pausesMs: [SECOND, 61 * SECOND], result: 'firstTokenTimeout' },
	{ what: 'one long pause at first', pausesMs: [61 * SECOND, SECOND], result: 'firstTokenTimeout' },
])(
	'First Token Timeout is for a pause of an upload, not for all of it: $what',
	async ({ pausesMs, result }) => {
		expect(await upload(pausesMs)).toBe(result);
	},
);

test('each part that is sent moves the beginning of what a busy server refuses', async () => {
	const { url: origin } = await serveScript((_sent, response) => sendJson(response, { ok: true }));
	const content = {
		async *[Symbol.asyncIterator]() {
			for (const part of ['a', 'b', 'c']) yield await Promise.resolve(Buffer.from(part));
		},
	};
	const retryPolicy = new RetryPolicy();
	const parts = jest.spyOn(retryPolicy, 'onUpload');
	await request(
		toEndpoint(origin),
		{
			url: origin,
			upload: { content, contentType: 'audio/wav', length: 3 },
			limits: TASK_LIMITS.transcribe.received,
			retryPolicy,
		},
		async (response: HttpResponse) => await response.text(),
	);
	expect(parts).toHaveBeenCalledTimes(3);
});

test.each([
	{ what: 'a field of the form', fields: { prompt: 'Names: secret-key-of-server' } },
	{ what: 'JSON', json: { prompt: 'Names: secret-key-of-server' } },
	{ what: 'nothing of it', fields: { prompt: 'Names' }, isMasked: true },
])('a text that the request contained is not masked as a key: $what', async (sent) => {
	const { fields, json, isMasked = false } = sent;
	const { url: origin } = await serveScript((_sent, response) =>
		sendJson(response, { text: 'It is secret-key-of-server' }),
	);
	const server = createModelServer(
		{ baseUrl: origin, apiKey: 'secret-key-of-server' },
		NO_EXECUTION,
	);
	const upload = { content: [Buffer.from('a')], contentType: 'audio/wav', length: 1, fields };
	const options = { url: origin, limits: TASK_LIMITS.transcribe.received };
	const text = await request(
		server,
		json === undefined ? { ...options, upload } : { ...options, json },
		async (response: HttpResponse) => await response.text(),
	);
	expect(text.includes('secret-key-of-server')).toBe(!isMasked);
});

describe('a server that closes the connection before it has read the upload', () => {
	const listen = useSimulator(startResetting);

	test.each([
		{
			what: 'with a response',
			response: 'HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno',
			result: '404 no',
		},
		{
			what: 'with a response that the end of the connection ends',
			response: 'HTTP/1.0 404 Not Found\r\n\r\nno',
			result: '404 no',
		},
		{ what: 'without one', response: '', result: 'closedBeforeResponse' },
		{
			what: 'within its response',
			response: 'HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\nno',
			result: 'connectionLost',
		},
	])('$what: $result', async ({ response, result }) => {
		const { url, reset } = await listen(response);
		const content = {
			async *[Symbol.asyncIterator]() {
				yield Buffer.from('a');
				// The response has arrived, and is not read yet.
				await reset;
				yield Buffer.from('b');
				yield Buffer.from('c');
			},
		};
		const body = { content, contentType: 'audio/wav', length: 3 };
		const sending = request(
			toEndpoint(url),
			{ url, upload: body, limits: TASK_LIMITS.transcribe.received, allowErrorStatus: true },
			async ({ status, text }) => `${status} ${await text()}`,
		);
		expect(await sending.catch(({ type }: ServerError) => type)).toBe(result);
	});
});

/** A server that writes a text when a request begins, and resets the connection. */
async function startResetting(response: string): Promise<ResettingServer> {
	const { promise: reset, resolve } = Promise.withResolvers<void>();
	const server = await startTcpServer((socket) => {
		socket.once('data', () => {
			socket.write(response);
			socket.resetAndDestroy();
			resolve();
		});
	});
	return { ...server, reset };
}

interface ResettingServer {
	url: string;
	/** The connection is reset. */
	reset: Promise<void>;
	close(): Promise<void>;
}
