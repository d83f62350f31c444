/** The loop, with retries of `lib/http`, over a scripted transport. */
import * as fc from 'fast-check';

import { omitRejectedField } from '../../../lib/exchange/adaptations';
import { enforceStrictRoles } from '../../../lib/chat/strict-roles';
import { captureError, ServerError } from '../../../lib/errors/server-error';
import { MAX_REQUESTS } from '../../../lib/exchange/exchange';
import { runExchange, scriptedServer } from './scripted-exchange';
import { type Reply, transport } from './scripted-transport';

jest.mock('../../../lib/http/send-request', () =>
	jest.requireActual<object>('./scripted-transport'),
);
jest.mock('../../../lib/http/sleep', () => jest.requireActual<object>('../../support/mock-sleep'));

const FIELDS = ['top_k', 'min_p', 'seed', 'stop', 'logprobs', 'user', 'n', 'echo', 'suffix'];
const body = {
	...Object.fromEntries(FIELDS.map((name) => [name, -1])),
	messages: [
		{ role: 'user', content: 'A' },
		{ role: 'user', content: 'B' },
	],
};
const adaptations = { field: [omitRejectedField()], conversation: [enforceStrictRoles] };
const routes = ['ollamaChat', 'openAiChat'] as const;

let count = 0;
/** A server with a new address, for which nothing is cached. */
const newServer = () => scriptedServer(`server-${++count}`);

const reject = (message: string, status = 400): Reply => ({ type: 'rejected', status, message });
const REPLIES: readonly Reply[] = [
	{ type: 'usable' },
	{ type: 'unusable' },
	{ type: 'output', errorType: 'outputParseFailed' },
	{ type: 'output', errorType: 'runawayOutput', text: 'aaaa' },
	{ type: 'output', errorType: 'emptyResponse' },
	{ type: 'lost' },
	reject('Not Found', 404),
	reject('roles must alternate'),
	reject('service unavailable', 503),
	...FIELDS.map((name) => reject(`Unknown parameter: '${name}'`)),
];
// Most sequences would end at once otherwise.
const reply = fc.oneof(
	{ weight: 1, arbitrary: fc.constant(REPLIES[0]!) },
	{ weight: 30, arbitrary: fc.constantFrom(...REPLIES.slice(1)) },
);

test('any sequence of outcomes ends after eight requests, and the retries of one request', async () => {
	let longest = 0;
	await fc.assert(
		fc.asyncProperty(
			fc.array(reply, { minLength: 20, maxLength: 20 }),
			fc.nat(3),
			async (replies, maxRetries) => {
				transport.reply = () => replies[transport.sent.length - 1] ?? { type: 'unusable' };
				await runExchange(newServer(), body, { routes, adaptations, maxRetries }).catch(
					captureError,
				);
				longest = Math.max(longest, transport.sent.length);
				expect(transport.sent.length).toBeLessThanOrEqual(MAX_REQUESTS + maxRetries);
			},
		),
		{ numRuns: 500 },
	);
	expect(longest).toBeGreaterThanOrEqual(MAX_REQUESTS);
});

test('nothing is sent after Stop, whenever it comes', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(reply, { minLength: 12, maxLength: 12 }),
			fc.integer({ min: 1, max: 8 }),
			async (replies, stopAt) => {
				const stop = new AbortController();
				transport.reply = () => {
					if (transport.sent.length === stopAt) stop.abort();
					return replies[transport.sent.length - 1]!;
				};
				const { signal } = stop;
				const result = await runExchange(newServer(), body, {
					...{ routes, adaptations, maxRetries: 3, signal },
				}).catch(captureError);
				expect(transport.sent.length).toBeLessThanOrEqual(stopAt);
				const isStopped = result instanceof ServerError && signal.aborted;
				if (isStopped) expect(result.type).toBe('aborted');
			},
		),
		{ numRuns: 300 },
	);
});

test('retries are one budget for all requests of an exchange', async () => {
	const replies: Reply[] = [
		{ type: 'lost' },
		{ type: 'unusable' },
		{ type: 'lost' },
		{ type: 'unusable' },
		{ type: 'lost' },
		{ type: 'usable' },
	];
	transport.reply = () => replies[transport.sent.length - 1]!;
	const error = await runExchange(newServer(), body, { maxRetries: 2 }).catch(captureError);
	expect(error).toMatchObject({ type: 'connectionRefused' });
	expect(transport.sent).toHaveLength(5);
});

test('output that had arrived is in the error, also if a later request got none', async () => {
	const replies: Reply[] = [
		{ type: 'output', errorType: 'runawayOutput', text: 'begun' },
		{ type: 'lost' },
	];
	let partial: { text: string; reasoning: string } | undefined;
	transport.reply = () => {
		const next = replies[transport.sent.length - 1]!;
		partial = { text: next.type === 'output' ? next.text! : '', reasoning: '' };
		return next;
	};
	await expect(runExchange(newServer(), body, { getPartial: () => partial })).rejects.toMatchObject(
		{ type: 'connectionRefused', partialText: 'begun' },
	);
});

describe('routes', () => {
	const missing = reject('Not Found', 404);
	const replyAt = (route: string) => {
		transport.reply = ({ url }) => (url.endsWith(route) ? { type: 'usable' } : missing);
	};
	const send = async (server = newServer()) => {
		const { route } = await runExchange(server, body, { routes });
		return { route, urls: transport.sent.map(({ url }) => new URL(url).pathname) };
	};

	test('the other one follows a missing one, and is the first for later requests', async () => {
		replyAt('/v1/chat/completions');
		const server = newServer();
		expect((await send(server)).urls).toHaveLength(2);
		expect(await send(server)).toMatchObject({ route: 'openAiChat', urls: [expect.anything()] });
	});

	test('a server that changes its routes gets requests on the one that it has now', async () => {
		const server = newServer();
		replyAt('/v1/chat/completions');
		await send(server);
		replyAt('/api/chat');
		expect(await send(server)).toMatchObject({
			route: 'ollamaChat',
			urls: [expect.stringContaining('/v1/'), expect.stringContaining('/api/')],
		});
		expect((await send(server)).urls).toHaveLength(1);
	});

	test('without any, the error is a missing route', async () => {
		transport.reply = () => missing;
		await expect(send()).rejects.toMatchObject({ type: 'routeNotFound' });
		expect(transport.sent).toHaveLength(2);
	});
});

describe('what a server taught', () => {
	const rejectTopK = () => {
		transport.reply = (request) =>
			'top_k' in request.body ? reject("Unknown parameter: 'top_k'") : { type: 'usable' };
	};
	const send = async (server = newServer(), model = 'm') => {
		await runExchange(server, { top_k: 1 }, { adaptations, model });
		return transport.sent.length;
	};

	test('is shared by items of one credential, also if they run at the same time', async () => {
		rejectTopK();
		const server = newServer();
		await Promise.all([send(server), send(server)]);
		expect(await send(server)).toBe(1);
	});

	test('does not hold for another model, or another key', async () => {
		rejectTopK();
		const server = newServer();
		await send(server);
		expect(await send(server, 'other')).toBe(2);
		expect(await send(newServer())).toBe(2);
	});

	test('excludes a change for output that ran away', async () => {
		const replies: Reply[] = [{ type: 'output', errorType: 'runawayOutput' }, { type: 'usable' }];
		transport.reply = () => replies[transport.sent.length - 1]!;
		const server = newServer();
		const format = { response_format: { type: 'json_object' } };
		await runExchange(server, format);
		transport.reply = () => ({ type: 'usable' });
		await runExchange(server, format);
		expect(transport.sent[0]!.body).toEqual(format);
	});
});
