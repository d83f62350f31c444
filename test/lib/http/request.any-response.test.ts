/** Responses of many forms with each way to read them, sequences of them with each setting, and what is sent of each request. */
import path from 'node:path';
import type * as http from 'node:http';
import * as zlib from 'node:zlib';
import type { ServerError } from '../../../lib/errors/server-error';
import { asServerErrorOrThrow } from '../../../lib/errors/server-error';
import { BodyTooLargeError } from '../../../lib/http/body-limits';
import { forgetWaitInVain } from '../../../lib/http/busy';
import { RetryPolicy } from '../../../lib/http/retry-policy';
import { request } from '../../../lib/http/request';
import type { Endpoint, HttpResponse, RequestOptions } from '../../../lib/http/types';
import { omitUndefined } from '../../../lib/values/records';
import { useSimulator } from '../../simulators/use-simulator';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';
import type { PlacedOutcome } from '../../support/approved/approved-table';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import type { ScriptedServer } from '../../support/servers/scripted-server';
import { withLimits } from './client';
import { markWords } from '../../support/approved/outcome';

jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/still-clock'),
);

const KEY = ['sk', '9f8e7d6c5b4a3210'].join('-');
const serveScript = useSimulator(startScripted);

type Respond = (response: http.ServerResponse) => void;

const send =
	(body: string | Buffer, type = 'application/json', status = 200, more: object = {}): Respond =>
	(response) => {
		response.writeHead(status, { 'content-type': type, ...more });
		response.end(body);
	};
const failure = (status: number, message: unknown, more: object = {}): Respond =>
	send(JSON.stringify({ error: { message } }), 'application/json', status, more);
const cut =
	(body: string, type = 'application/json'): Respond =>
	(response) => {
		response.writeHead(200, { 'content-type': type, 'content-length': body.length + 10 });
		response.write(body, () => response.destroy());
	};

const EVENTS = 'text/event-stream';

const RESPONSES: Readonly<Record<string, Respond>> = {
	'an object': send('{"a":"ü"}'),
	'a list': send('[1]'),
	'a number': send('1'),
	nothing: send(''),
	'nothing, 204': (response) => response.writeHead(204).end(),
	text: send('Hello', 'text/plain'),
	'a page': send('<html><title>Hello</title></html>', 'text/html'),
	'broken JSON': send('{"a":'),
	'an error with status 200': send('{"error":{"message":"Out of cards"}}'),
	'an object with the key': send(`{"a":"${KEY}"}`, 'application/json', 200, { 'x-key': KEY }),
	'an error with the key': failure(400, `No ${KEY}`),
	events: send('data: {"a":1}\n\ndata: {"b":2}\n\ndata: [DONE]\n\n', EVENTS),
	'events with the key': send(`data: {"a":"${KEY}"}\n\n`, EVENTS),
	'events beside other lines': send(
		`: ping\nevent: x\ndata: {"a":1}\n\n${KEY} is wrong\n\n`,
		EVENTS,
	),
	'events without an end': send('data: {"a":1}', EVENTS),
	lines: send('{"a":1}\n{"b":2}\n', 'application/x-ndjson'),
	'cut JSON': cut('{"a":1,"key":"sk-9f8e7d6c5b4a3210"'),
	'cut events': cut('data: {"a":1}\n\ndata: {"b"', EVENTS),
	'a long text': send('x'.repeat(3_000), 'text/plain'),
	'a long JSON': send(JSON.stringify({ a: 'x'.repeat(3_000) })),
	compressed: send(zlib.gzipSync('{"a":1}'), 'application/json', 200, {
		'content-encoding': 'gzip',
	}),
	'400': failure(400, 'Bad value'),
	'404': failure(404, 'No such model'),
	'500 as text': send('Internal Server Error', 'text/plain', 500),
	'500 that is cut': (response) => {
		response.writeHead(500, { 'content-type': 'text/plain', 'content-length': 100 });
		response.write('It broke', () => response.destroy());
	},
	'500 as a long text': send('It broke. '.repeat(60_000), 'text/plain', 500),
	'no response': (response) => response.destroy(),
};

const describeHead = ({ status, headers, url, errorContext }: HttpResponse) =>
	omitUndefined({
		status: status === 200 ? undefined : status,
		type: headers['content-type'],
		key: headers['x-key'],
		path: new URL(url).pathname === '/v1/models' ? undefined : url,
		model: errorContext.model,
	});

const READERS: Readonly<Record<string, (response: HttpResponse) => Promise<unknown>>> = {
	text: async (response) => await response.text(),
	'text, also of a broken body': async (response) => {
		let received: string | undefined;
		return await response
			.text((text) => {
				received = text;
			})
			.catch((error: unknown) => {
				if (received === undefined) throw error;
				return `broken: ${received}`;
			});
	},
	json: async (response) => await response.json(),
	events: async (response) => {
		const parts: string[] = [];
		for await (const some of response.parts())
			parts.push(...some.map(({ type, text }) => `${type} ${text}`));
		return parts;
	},
	bytes: async (response) => {
		let count = 0;
		for await (const chunk of response.bytes()) count += chunk.byteLength;
		return count;
	},
	head: async (response) => {
		await response.text();
		return describeHead(response);
	},
};

const describeError = (error: ServerError) => {
	const { type, message, isServerText, status, serverText, retryable } = error;
	// How a connection ended depends on who noticed it first.
	const { reason: _reason, ...facts } = error.facts;
	return omitUndefined({
		error: `${type}${markWords(isServerText === true ? [] : [message])}`,
		says: isServerText === true ? message : undefined,
		status,
		serverText: serverText && serverText.length > 100 ? serverText.length : serverText,
		facts: Object.keys(facts).length > 0 ? facts : undefined,
		retryable,
	});
};

let server: ScriptedServer;
let answers: Respond[] = [];
let rows = 0;

beforeEach(async () => {
	jest.spyOn(Math, 'random').mockReturnValue(0.5);
	server = await serveScript((_request, response) => {
		const answer = answers.length > 1 ? answers.shift() : answers[0];
		answer!(response);
	});
});

afterEach(() => {
	jest.restoreAllMocks();
});

const createEndpoint = (overrides: Partial<Endpoint> = {}): Endpoint => ({
	url: { typed: server.url, origin: server.url, root: server.url, api: `${server.url}/v1` },
	id: `row ${rows++}`,
	headers: { authorization: `Bearer ${KEY}` },
	ignoreSslIssues: false,
	maxConcurrentRequests: 0,
	getSlots: () => undefined,
	secrets: [KEY],
	errorContext: {},
	...overrides,
});

const withoutPort = (value: unknown): unknown =>
	JSON.parse(
		(JSON.stringify(value) ?? 'null').replaceAll(new URL(server.url).host, 'HOST'),
	) as unknown;

/** Sends a request, and describes its result or its error. */
async function play(
	responses: readonly Respond[],
	options: Partial<RequestOptions>,
	{
		endpoint = createEndpoint(),
		read = READERS.text!,
	}: {
		endpoint?: Endpoint;
		read?: (response: HttpResponse) => Promise<unknown>;
	} = {},
): Promise<unknown> {
	answers = [...responses];
	const requestOptions = { url: `${server.url}/v1/models`, limits: withLimits(), ...options };
	try {
		return withoutPort(await request(endpoint, requestOptions, read));
	} catch (error) {
		if (error instanceof BodyTooLargeError) return 'too large';
		return withoutPort(describeError(asServerErrorOrThrow(error)));
	} finally {
		forgetWaitInVain(endpoint.id);
	}
}

/** With the length in place of a long text. */
const toShort = (outcome: unknown): unknown =>
	JSON.parse(
		JSON.stringify(outcome, (_name, value: unknown) =>
			typeof value === 'string' && value.length > 300
				? `${value.slice(0, 20)}… (${value.length})`
				: value,
		),
	);

test('each response is read in each way', async () => {
	const places: Readonly<Record<string, Partial<RequestOptions>>> = {
		'': { model: 'm' },
		'as lines': { streamFormat: 'lines' },
		'with its status': { allowErrorStatus: true },
		'written by a model': { isWritten: true },
		'at most 2,000 bytes': { limits: withLimits({ bytes: 2_000 }) },
	};
	const outcomes: Array<PlacedOutcome & { reader: string }> = [];
	for (const [name, respond] of Object.entries(RESPONSES))
		for (const [reader, read] of Object.entries(READERS))
			for (const [place, options] of Object.entries(places)) {
				if (place === 'as lines' && reader !== 'events') continue;
				const outcome = toShort(await play([respond], options, { read }));
				outcomes.push({ subject: name, reader, place: place || 'default', outcome });
			}
	// An error that does not depend on the reader has one row.
	const toKey = (outcome: (typeof outcomes)[number]) => JSON.stringify({ ...outcome, reader: '' });
	const ofText = new Set(outcomes.filter(({ reader }) => reader === 'text').map(toKey));
	const shown = outcomes
		.filter(
			(row) =>
				row.reader === 'text' ||
				!JSON.stringify(row).includes('"error":"') ||
				!ofText.has(toKey(row)),
		)
		.map(({ subject, reader, ...rest }) => ({ ...rest, subject: `${subject}, ${reader}` }));
	expectApproved(
		path.join(__dirname, 'request.any-response.approved.txt'),
		joinPlaces(shown),
		'Every form of a response is read, or its error says why not',
	);
});

const toSeconds = (ms: number) => Number((ms / 1000).toFixed(1));

const OK = send('{"ok":true}');
const LOADING = failure(503, 'Loading model');
const BUSY = failure(429, 'Too many requests');
const SEQUENCES: Readonly<Record<string, readonly Respond[]>> = {
	loading: [LOADING, LOADING, OK],
	'always loading': [LOADING],
	'loading, then broken': [LOADING, failure(500, 'CUDA error')],
	busy: [BUSY, BUSY, OK],
	'always busy': [BUSY],
	'busy until a second has passed': [failure(429, 'Too many', { 'retry-after': '1' }), OK],
	'busy for an hour': [failure(429, 'Too many', { 'retry-after': '3600' }), OK],
	'loading, then busy': [LOADING, BUSY, OK],
	'without a budget': [
		send('{"error":{"message":"Pay","code":"insufficient_quota"}}', 'application/json', 429),
		OK,
	],
	'no response': [(response) => response.destroy(), OK],
	'no response, always': [(response) => response.destroy()],
	'a cut response': [cut('{"ok'), OK],
	'a bad gateway': [failure(502, 'Bad gateway'), OK],
	'a gateway that waited in vain': [failure(504, 'Timeout'), OK],
	'an internal error': [failure(500, 'Oops'), OK],
	'a missing model': [failure(404, 'No model'), OK],
};

test('each sequence of responses ends as its settings say', async () => {
	const settings: Readonly<Record<string, Partial<RequestOptions>>> = {
		GET: {},
		'GET with 2 retries': { maxRetries: 2 },
		POST: { json: {} },
		'POST with 2 retries': { json: {}, maxRetries: 2 },
		'idempotent POST with 2 retries': { json: {}, maxRetries: 2, isIdempotent: true },
		'batch POST with 2 retries': { json: {}, maxRetries: 2, priority: 'batch', model: 'm' },
		'interactive POST, no retries': { json: {}, priority: 'interactive', model: 'm' },
		'POST that waits for a busy server': { json: {}, maxRetries: 1 },
		'batch POST that waits for a busy server': {
			json: {},
			maxRetries: 1,
			priority: 'batch',
			model: 'm',
		},
		'POST that begins within 5 s': { json: {}, maxRetries: 2, timeouts: { firstTokenMs: 5_000 } },
		'idempotent POST after content': { json: {}, maxRetries: 2, isIdempotent: true },
	};
	const outcomes = [];
	for (const [name, responses] of Object.entries(SEQUENCES))
		for (const [place, options] of Object.entries(settings)) {
			const calls: string[] = [];
			const endpoint = createEndpoint({
				onLoading: (waitedMs) => void calls.push(`loading ${toSeconds(waitedMs)} s`),
				onLoaded: (error) =>
					void calls.push(error === undefined ? 'loaded' : `not loaded: ${error.type}`),
			});
			const retryPolicy = new RetryPolicy({
				maxRetries: options.maxRetries ?? 0,
				isIdempotent: options.isIdempotent ?? options.json === undefined,
				...(place.includes('busy') && { busyKey: endpoint.id }),
			});
			const before = server.requests.length;
			const startedAt = performance.now();
			const outcome = await play(
				responses,
				{ timeouts: { firstTokenMs: 20_000 }, ...options, retryPolicy },
				{
					endpoint,
					read: async (response) => {
						if (place.endsWith('after content')) response.markContent();
						return await response.text();
					},
				},
			);
			outcomes.push({
				subject: name,
				place,
				outcome: omitUndefined({
					requests: server.requests.length - before,
					seconds: toSeconds(performance.now() - startedAt) || undefined,
					waits: Object.entries(retryPolicy.waits)
						.filter(([, count]) => count > 0)
						.map(([reason, count]) => `${reason} ${String(count)}`)
						.join(', '),
					calls: calls.length > 3 ? [...calls.slice(0, 2), calls.length, calls.at(-1)] : calls,
					outcome,
				}),
			});
		}
	expectApproved(
		path.join(__dirname, 'request.any-response.sequences.approved.txt'),
		joinPlaces(outcomes),
		'A request is repeated as its settings and the facts say, and no more',
	);
});

test('each request is sent with its method, its headers and its body', async () => {
	const upload = {
		content: [Buffer.from('a'), Buffer.from('bc')],
		contentType: 'multipart/form-data; boundary=x',
		length: 3,
	};
	const requests: ReadonlyArray<Partial<RequestOptions>> = [
		{},
		{ json: { a: 'ü' } },
		{ json: {}, method: 'PUT' },
		{ method: 'DELETE' },
		{ method: 'DELETE', json: { model: 'm' } },
		{ upload },
		{ headers: { 'x-one': '1', accept: 'audio/wav' } },
		{ headers: { authorization: 'other' } },
		{ json: {}, headers: { 'content-type': 'text/plain' } },
		{ json: {}, isIdempotent: true },
		{ isIdempotent: false },
		{ json: { stream: true }, streamFormat: 'lines' },
	];
	const sent = [];
	for (const options of requests) {
		const outcome = await play([OK], options);
		const { method, headers, text, path: sentPath } = server.requests.at(-1)!;
		const { host, authorization, 'user-agent': agent = '', ...others } = headers;
		expect(outcome).toBe('{"ok":true}');
		expect(host).toBe(new URL(server.url).host);
		sent.push({
			input: JSON.stringify(options.upload ? { upload: 'abc' } : options),
			outcome: {
				line: `${method} ${sentPath}`,
				...others,
				key: authorization === `Bearer ${KEY}` ? 'sent' : authorization,
				agent: agent.replace(/[\d.]+/g, 'N'),
				body: text,
			},
		});
	}
	const elsewhere = await serveScript((_request, response) => sendJson(response, { ok: 1 }));
	const moved = await play(
		[(response) => response.writeHead(307, { location: `${elsewhere.url}/other` }).end()],
		{},
	);
	sent.push({
		input: 'redirected to another host',
		outcome: { moved, key: elsewhere.requests[0]?.headers.authorization ?? 'not sent' },
	});
	expectApproved(
		path.join(__dirname, 'request.any-response.sent.approved.txt'),
		sent,
		'A request is sent with its method, headers and body',
	);
});
