/** The loop, with retries of `lib/http`, over a scripted transport. */
import * as fc from 'fast-check';
import { changeFormat } from '../../../lib/exchange/adaptations';
import { omitRejectedField } from '../../../lib/exchange/omit-rejected-field';
import { enforceStrictRoles } from '../../../lib/chat/body/strict-roles';
import { asServerErrorOrThrow, ServerError } from '../../../lib/errors/server-error';
import { createServerError } from '../../../lib/errors/create-error';
import type { ErrorType } from '../../../lib/errors/error-types';
import { advance, decide, RULES } from '../../../lib/exchange/rules';
import { ConnectionFailure } from '../../../lib/http/connection-failure';
import { MAX_REQUESTS } from '../../../lib/http/retry-policy';
import type { ExchangeState, FailedOutcome, AttemptOutcome } from '../../../lib/exchange/types';
import type { PartialOutput } from '../../../lib/exchange/attempt';
import { sleepWithAbort } from '../../../lib/http/sleep';
import { getProfile } from '../../../lib/servers/profile';
import { runExchange, scriptedServer } from './scripted-exchange';
import { transport } from './scripted-transport';
import type { Reply } from './scripted-transport';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import type { JsonRecord } from '../../../lib/values/records';

jest.mock('../../../lib/http/send-request', () =>
	jest.requireActual<object>('./scripted-transport'),
);
jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/mock-sleep'),
);

const FIELDS = ['top_k', 'min_p', 'seed', 'stop', 'logprobs', 'user', 'n', 'echo', 'suffix'];
const ROWS = FIELDS.map((field) => ({ field, label: field, canOmit: true }));
const body = {
	...Object.fromEntries(FIELDS.map((name) => [name, -1])),
	messages: [
		{ role: 'user', content: 'A' },
		{ role: 'user', content: 'B' },
	],
};
const adaptations = {
	field: [omitRejectedField({ rows: ROWS })],
	strictForm: [enforceStrictRoles],
};
const routes = ['ollamaChat', 'openAiChat'] as const;

let count = 0;
/** A server with a new address, for which nothing is cached. */
const newServer = () => scriptedServer(`server-${++count}`);

const reject = (message: string, status = 400): Reply => ({ type: 'rejected', status, message });
const REPLIES: readonly Reply[] = [
	{ type: 'usable' },
	{ type: 'correctable' },
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

test('any sequence of outcomes ends after eight requests that a server may have started', async () => {
	let longest = 0;
	await fc.assert(
		fc.asyncProperty(
			fc.array(reply, { minLength: 20, maxLength: 20 }),
			fc.nat(3),
			async (replies, maxRetries) => {
				transport.reply = () => replies[transport.sent.length - 1] ?? { type: 'usable' };
				await runExchange(newServer(), body, { routes, adaptations, maxRetries }).catch(
					asServerErrorOrThrow,
				);
				const started = replies
					.slice(0, transport.sent.length)
					.filter(
						({ type, ...sent }) => type !== 'lost' && !('status' in sent && sent.status === 503),
					);
				longest = Math.max(longest, started.length);
				expect(started.length).toBeLessThanOrEqual(MAX_REQUESTS);
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
				}).catch(asServerErrorOrThrow);
				expect(transport.sent.length).toBeLessThanOrEqual(stopAt);
				const isStopped = result instanceof ServerError && signal.aborted;
				if (isStopped)
					expect(result).toMatchObject({ type: 'aborted', url: expect.stringContaining('/v1') });
			},
		),
		{ numRuns: 300 },
	);
});

test('retries are one budget for all requests of an exchange', async () => {
	const replies: Reply[] = [
		{ type: 'lost' },
		{ type: 'correctable' },
		{ type: 'lost' },
		{ type: 'correctable' },
		{ type: 'lost' },
		{ type: 'usable' },
	];
	transport.reply = () => replies[transport.sent.length - 1]!;
	const error = await runExchange(newServer(), body, { maxRetries: 2 }).catch(asServerErrorOrThrow);
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
		const next = replies[transport.sent.length - 1] ?? replies.at(-1)!;
		partial = { text: next.type === 'output' ? next.text! : '', reasoning: '' };
		return next;
	};
	await expect(
		runExchange(newServer(), body, { getPartialOutput: () => partial }),
	).rejects.toMatchObject({ type: 'runawayOutput', partialText: 'begun' });
});

describe('partial output', () => {
	const calls = [{ name: 'get_time', arguments: '{"zo' }];

	/** Two attempts that fail with these outputs. */
	const failWith = async (...outputs: PartialOutput[]) => {
		const replies: Reply[] = [
			{ type: 'output', errorType: 'runawayOutput' },
			{ type: 'output', errorType: 'garbledOutput' },
		];
		transport.reply = () => replies[transport.sent.length - 1]!;
		return await runExchange(newServer(), body, {
			getPartialOutput: () => outputs[transport.sent.length - 1],
		}).catch(asServerErrorOrThrow);
	};

	test('of tool calls only is kept', async () => {
		const nothing = { text: '', reasoning: '' };
		const error = await failWith({ ...nothing, toolCalls: calls }, nothing);
		expect(error).toMatchObject({ type: 'garbledOutput', partialToolCalls: calls });
	});

	test.each([
		{ name: 'blanks', output: { text: ' \n', reasoning: '\n' } },
		{ name: 'an empty list of calls', output: { text: '', reasoning: '', toolCalls: [] } },
	])('of a later attempt does not replace it if it is $name', async ({ output }) => {
		const error = await failWith({ text: 'begun', reasoning: 'thought' }, output);
		expect(error).toMatchObject({ partialText: 'begun', partialReasoning: 'thought' });
	});
});

describe('output that users saw', () => {
	const failed = reject('Internal error', 500);

	test.each<{ name: string; replies: Reply[]; shown: (sent: number) => number; requests: number }>([
		{
			name: 'of the failed attempt: nothing is sent again',
			replies: [reject("Unknown parameter: 'top_k'"), { type: 'usable' }],
			shown: (sent) => sent * 5,
			requests: 1,
		},
		{
			name: 'of an attempt before: a rejected field is left out',
			replies: [{ type: 'correctable' }, reject("Unknown parameter: 'top_k'"), { type: 'usable' }],
			shown: (sent) => Math.min(sent, 1) * 5,
			requests: 3,
		},
		{
			name: 'of an attempt before: the request on which the server failed is not repeated',
			replies: [{ type: 'correctable' }, failed, { type: 'usable' }],
			shown: (sent) => Math.min(sent, 1) * 5,
			requests: 2,
		},
		{
			name: 'none: that request is repeated',
			replies: [{ type: 'correctable' }, failed, { type: 'usable' }],
			shown: () => 0,
			requests: 3,
		},
	])('$name', async ({ replies, shown, requests }) => {
		transport.reply = () => replies[transport.sent.length - 1]!;
		const getShownLength = () => shown(transport.sent.length);
		await runExchange(newServer(), body, { adaptations, getShownLength }).catch(
			asServerErrorOrThrow,
		);
		expect(transport.sent).toHaveLength(requests);
	});
});

describe('an API without a version in its path', () => {
	const models = { data: [{ id: 'm', owned_by: 'vllm' }] };
	const paths = () =>
		transport.sent.map(({ url }) => new URL(url).pathname.replace(/^\/[^/]+/, ''));
	const isVersioned = (url: string) => url.includes('/v1/');

	beforeEach(() => {
		transport.read = (url) => (url.endsWith('/models') && !isVersioned(url) ? models : 404);
		transport.reply = ({ url }) =>
			isVersioned(url) ? reject('Not Found', 404) : { type: 'usable' };
	});

	afterEach(() => {
		delete transport.read;
	});

	test('is found by its list, and used at once by later requests', async () => {
		const server = newServer();
		await runExchange(server, body);
		expect(paths()).toEqual(['/v1/chat/completions', '/chat/completions']);
		await runExchange(server, body);
		expect(paths()).toEqual(['/chat/completions']);
	});

	test('without a list is found by its chat route, which is remembered', async () => {
		transport.read = (url) => (url.endsWith('/chat/completions') && !isVersioned(url) ? 405 : 404);
		const server = newServer();
		await runExchange(server, body);
		expect(paths()).toEqual(['/v1/chat/completions', '/chat/completions']);
		await runExchange(server, body);
		expect(paths()).toEqual(['/chat/completions']);
	});

	test('tells the type of the server', async () => {
		const server = scriptedServer(`server-${++count}`, 'auto');
		await runExchange(server, body);
		expect(getProfile(server).getCachedType()?.name).toBe('vllm');
	});

	test('is not looked for as long as another route is left', async () => {
		const read: string[] = [];
		transport.read = (url) => {
			read.push(url);
			return 404;
		};
		transport.reply = ({ url }) =>
			url.endsWith('/api/chat') ? reject('Not Found', 404) : { type: 'usable' };
		await runExchange(newServer(), body, { routes });
		expect(read).toEqual([]);
	});

	test('that nobody has leaves the missing route as the error', async () => {
		delete transport.read;
		await expect(runExchange(newServer(), body)).rejects.toMatchObject({ type: 'routeNotFound' });
		expect(paths()).toEqual(['/v1/chat/completions', '/v1/chat/completions']);
	});

	test('is not looked for further if the list cannot be read', async () => {
		const read: string[] = [];
		transport.read = (url) => {
			read.push(url);
			throw new ConnectionFailure(Object.assign(new Error('reset'), { code: 'ECONNREFUSED' }));
		};
		await expect(runExchange(newServer(), body)).rejects.toMatchObject({ type: 'routeNotFound' });
		expect(paths()).toEqual(['/v1/chat/completions', '/v1/chat/completions']);
		expect(read.map((url) => url.slice(url.indexOf('/v1')))).toContain('/v1/models');
	});

	test.each([
		{ status: 500, path: '/v1/chat/completions' },
		{ status: 400, path: '/chat/completions' },
		{ status: 422, path: '/chat/completions' },
	])('after $status there, the next request goes to $path', async ({ status, path }) => {
		const server = newServer();
		await runExchange(server, body);
		transport.reply = () => reject('other', status);
		await runExchange(server, body, { isRepeatable: false }).catch(asServerErrorOrThrow);
		await runExchange(server, body, { isRepeatable: false }).catch(asServerErrorOrThrow);
		expect(paths()[0]).toBe(path);
	});
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
		expect(transport.sent).toHaveLength(3);
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

	/** What a server may lack, each by the request that it rejects. */
	const LACKS = {
		route: ({ url }: { url: string }) => url.endsWith('/api/chat'),
		top_k: ({ body }: { body: object }) => 'top_k' in body,
		seed: ({ body }: { body: object }) => 'seed' in body,
	};
	type Lack = keyof typeof LACKS;
	const LACK_NAMES = Object.keys(LACKS) as Lack[];
	const ORDERS = LACK_NAMES.flatMap((first) =>
		LACK_NAMES.filter((next) => next !== first).map((next) => [first, next] as const),
	);

	test.each(ORDERS)('one at a time is remembered together: %s, then %s', async (...order) => {
		const server = newServer();
		const lacking = new Set<Lack>();
		const requests = async () => {
			transport.reply = (request) => {
				const lack = [...lacking].find((name) => LACKS[name](request));
				if (lack === undefined) return { type: 'usable' };
				return lack === 'route' ? reject('Not Found', 404) : reject(`Unknown parameter: '${lack}'`);
			};
			const both = { adaptations, model: 'm', routes: ['ollamaChat', 'openAiChat'] as const };
			await runExchange(server, { top_k: 1, seed: 1 }, { ...both, routes: [...both.routes] });
			return transport.sent.length;
		};
		const counts: number[] = [];
		for (const lack of order) {
			lacking.add(lack);
			counts.push(await requests(), await requests());
		}
		expect(counts).toEqual([2, 1, 2, 1]);
	});

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

	test.each([
		{ executionId: 'a', counts: [2, 1, 1, 2] },
		{ executionId: undefined, counts: [2, 2, 2, 2] },
	])(
		'ends ten minutes after the last use in execution $executionId',
		async ({ executionId, counts }) => {
			rejectTopK();
			const path = `server-${++count}`;
			const sent: number[] = [];
			for (const minutes of [0, 9, 9, 10]) {
				await sleepWithAbort(minutes * 60_000, undefined);
				sent.push(await send(scriptedServer(path, 'other', executionId)));
			}
			expect(sent).toEqual(counts);
		},
	);

	test('belongs to one execution, also if two run at the same time', async () => {
		rejectTopK();
		const path = `server-${++count}`;
		const sendIn = async (executionId: string) => {
			await send(scriptedServer(path, 'other', executionId));
			return transport.sent.length;
		};
		expect(await sendIn('visitor')).toBe(2);
		expect(await sendIn('owner')).toBe(2);
		expect(await sendIn('visitor')).toBe(1);
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

describe('a server that fails', () => {
	const failed = reject('Internal error', 500);
	const send = async (server: ModelServer, ...replies: Reply[]) => {
		transport.reply = () => replies[transport.sent.length - 1] ?? { type: 'usable' };
		const { field } = adaptations;
		const result = await runExchange(server, body, { adaptations: { field } }).catch(
			asServerErrorOrThrow,
		);
		return { isUsable: !(result instanceof ServerError), requests: transport.sent.length };
	};

	test('is named in a warning, or in the advice if it failed twice', async () => {
		transport.reply = () => (transport.sent.length === 1 ? failed : { type: 'usable' });
		const { warnings } = await runExchange(newServer(), body);
		expect(warnings).toEqual([
			'The request was sent twice: the server failed with status 500 ("Internal error").',
		]);
		transport.reply = () => failed;
		await expect(runExchange(newServer(), body)).rejects.toMatchObject({
			wasSentTwice: true,
		});
	});

	test('without a failure there is no warning', async () => {
		transport.reply = () => ({ type: 'usable' });
		expect((await runExchange(newServer(), body)).warnings).toEqual([]);
	});

	test.each([
		{ isRepeatable: false, requests: 1 },
		{ isRepeatable: true, requests: 2 },
		{ isRepeatable: undefined, requests: 2 },
	])(
		'gets $requests requests if isRepeatable is $isRepeatable',
		async ({ isRepeatable, requests }) => {
			transport.reply = () => failed;
			await runExchange(newServer(), body, { isRepeatable }).catch(asServerErrorOrThrow);
			expect(transport.sent).toHaveLength(requests);
		},
	);

	test.each([
		{ name: 'text', text: 'begun', errorType: 'onlyThinking', requests: 1 },
		{ name: 'blanks', text: ' ', errorType: 'onlyThinking', requests: 2 },
		{ name: 'nothing', text: '', errorType: 'emptyResponse', requests: 2 },
		{ name: 'text', text: 'begun', errorType: 'streamError', requests: 2 },
		{ name: 'text', text: 'begun', errorType: 'streamEndedEarly', requests: 2 },
		{ name: 'text', text: 'begun', errorType: 'streamBroken', requests: 2 },
	] as const)(
		'that failed with $errorType after $name of a fixed seed gets $requests requests',
		async ({ text, errorType, requests }) => {
			transport.reply = () => ({ type: 'output', errorType });
			const getPartialOutput = () => ({ text, reasoning: '' });
			await runExchange(newServer(), { seed: 7 }, { getPartialOutput }).catch(asServerErrorOrThrow);
			expect(transport.sent).toHaveLength(requests);
		},
	);

	test('gets the same request once more, and the second response counts', async () => {
		const server = newServer();
		expect(await send(server, failed)).toEqual({ isUsable: true, requests: 2 });
		expect(transport.sent[1]!.body).toEqual(transport.sent[0]!.body);
	});

	test('gets no second request for later items if the repetition failed alike', async () => {
		const server = newServer();
		expect(await send(server, failed, failed)).toEqual({ isUsable: false, requests: 2 });
		expect(await send(server, failed)).toEqual({ isUsable: false, requests: 1 });
		expect(await send(server, failed)).toEqual({ isUsable: false, requests: 1 });
	});

	test('gets no changed request for later items either, whatever it writes', async () => {
		const named = reject("Unknown parameter: 'top_k'", 500);
		const server = newServer();
		expect(await send(server, named, named)).toEqual({ isUsable: false, requests: 2 });
		expect(await send(server, named)).toEqual({ isUsable: false, requests: 1 });
		const rejected = reject("Unknown parameter: 'top_k'");
		expect(await send(server, rejected)).toEqual({ isUsable: true, requests: 2 });
		expect(await send(server, named)).toEqual({ isUsable: true, requests: 2 });
	});

	test('gets second requests again when it has responded', async () => {
		const server = newServer();
		await send(server, failed, failed);
		expect(await send(server)).toEqual({ isUsable: true, requests: 1 });
		expect(await send(server, failed)).toEqual({ isUsable: true, requests: 2 });
	});

	test('gets a second request for later items if the failure was not repeated', async () => {
		const server = newServer();
		transport.reply = () => failed;
		await runExchange(server, body, { isRepeatable: false }).catch(asServerErrorOrThrow);
		expect(await send(server, failed)).toEqual({ isUsable: true, requests: 2 });
	});

	test('in another way gets a second request, also after a lasting failure', async () => {
		const server = newServer();
		await send(server, failed, failed);
		expect(await send(server, { type: 'output', errorType: 'streamError' })).toEqual({
			isUsable: true,
			requests: 2,
		});
	});

	test('after a rejection of a field gets the changed request twice', async () => {
		const server = newServer();
		const rejected = reject("Unknown parameter: 'top_k'");
		expect(await send(server, rejected, failed)).toEqual({ isUsable: true, requests: 3 });
		expect(transport.sent[2]!.body).not.toHaveProperty('top_k');
	});
});

/* The table of rules: each row, its limit, and that no other row acts. */

const createState = (changes: Partial<ExchangeState<string>> = {}): ExchangeState<string> => ({
	request: { route: { name: 'ollamaChat', url: 'a' }, draft: 'first', changes: [] },
	body: {},
	textsOfOthers: [],
	routes: [
		{ name: 'ollamaChat', url: 'a' },
		{ name: 'openAiChat', url: 'b' },
	],
	apiUrl: 'a',
	missingUrls: [],
	adaptations: { field: [omitRejectedField({ rows: ROWS })], format: [changeFormat] },
	requestCount: 1,
	appliedRules: [],
	limits: { retries: 2, isRepeatable: true },
	lastingFailure: undefined,
	...changes,
});

/** Of a rejection that is not repeated. */
const REPORT = { status: 422, codes: [], isOfGateway: false };

const fail = (type: ErrorType, serverText = '', hasShownOutput = false): FailedOutcome => ({
	type: 'failed',
	error: createServerError(type, {}, { status: 422, serverText, report: REPORT }),
	hasShownOutput,
});

/** A route that the server does not have. */
const MISSING = createServerError(
	'routeNotFound',
	{},
	{ status: 404, report: { ...REPORT, status: 404 } },
);

const decideWith = (
	outcome: AttemptOutcome<string, string>,
	state: Partial<ExchangeState<string>> = {},
) => decide(createState(state), outcome);

const sendRule = (rule: string) => ({ type: 'send', rule });

describe('each rule', () => {
	test('route: the first route that is not known to be missing', () => {
		const missing = { type: 'failed', error: MISSING, elapsedMs: 5_000 } as const;
		expect(decideWith(missing, { missingUrls: ['a'] })).toMatchObject({
			...sendRule('route'),
			request: { route: { name: 'openAiChat' } },
		});
		expect(decideWith(missing, { missingUrls: ['a', 'b'] })).toMatchObject({ type: 'fail' });
	});

	test.each(['conversation', 'strictForm'])('%s: as the adaptation changes it', (name) => {
		const change = { name: 'strict', apply: (body: JsonRecord) => body };
		const step = decideWith(fail('badRequest'), { adaptations: { [name]: [() => change] } });
		expect(step).toMatchObject({ ...sendRule(name), request: { changes: [change] } });
	});

	describe('serverFailure: the same request', () => {
		const failWith = (
			type: ErrorType,
			details: Partial<FailedOutcome> = {},
			status?: number,
		): FailedOutcome => {
			const isInside = status === 200 || undefined;
			const report = status === undefined ? undefined : { ...REPORT, status, isInside };
			return { type: 'failed', error: createServerError(type, {}, { status, report }), ...details };
		};

		test('is sent after an error response, whatever its type is', () => {
			const { request } = createState();
			for (const type of ['serverError', 'modelCrashed', 'promptTooLong', 'busy'] as const)
				expect(decideWith(failWith(type, { elapsedMs: 2_000 }, 500))).toMatchObject({
					...sendRule('serverFailure'),
					request,
					because: 'the server failed with status 500',
				});
		});

		test.each<[string, FailedOutcome, Partial<ExchangeState<string>>]>([
			[
				'output of an earlier attempt was shown',
				failWith('emptyResponse', { hasEverShownOutput: true }),
				{},
			],
			[
				'it failed alike before',
				failWith('serverError', {}, 500),
				{ lastingFailure: 'status 500' },
			],
			[
				'parts of it are sent anew',
				failWith('serverError', {}, 500),
				{ limits: { retries: 2, isRepeatable: false } },
			],
			[
				'Retries is 0',
				failWith('serverError', {}, 500),
				{ limits: { retries: 0, isRepeatable: true } },
			],
			[
				'a seed gives the same output',
				failWith('onlyThinking', { hasOutput: true }),
				{ body: { seed: 7 } },
			],
			[
				'temperature 0 gives the same output',
				failWith('emptyResponse', { hasOutput: true }),
				{ body: { options: { temperature: 0 } } },
			],
			[
				'a seed gives the same unreadable output',
				failWith('outputParseFailed'),
				{ body: { seed: 7 } },
			],
			[
				'the response names what was sent',
				{
					type: 'failed',
					error: createServerError(
						'badRequest',
						{},
						{ report: REPORT, serverText: "'temperature' is too hot" },
					),
				},
				{ body: { temperature: 9 } },
			],
		])('is not sent if %s', (_reason, outcome, state) => {
			expect(decideWith(outcome, state).type).toBe('fail');
		});

		test.each<[string, FailedOutcome, Partial<ExchangeState<string>>]>([
			[
				'nothing was generated with the seed',
				failWith('serverError', {}, 500),
				{ body: { seed: 7 } },
			],
			['another failure lasted before', failWith('streamError'), { lastingFailure: 'status 500' }],
			[
				'the process that wrote the output died (Ollama: `POST predict: … EOF`)',
				failWith('streamError', { hasOutput: true }, 200),
				{ body: { options: { temperature: 0 } } },
			],
			[
				'the connection was lost in the middle of the output',
				failWith('connectionLost', { hasOutput: true }),
				{ body: { seed: 7 } },
			],
			['output arrived, and the next differs', failWith('streamError', { hasOutput: true }), {}],
			['a refusal names nothing that was sent', failWith('badRequest', {}, 400), {}],
		])('is sent if %s', (_reason, outcome, state) => {
			expect(decideWith(outcome, state)).toMatchObject(sendRule('serverFailure'));
		});
	});

	test.each<[string, JsonRecord, JsonRecord | undefined]>([
		[
			'a schema',
			{ seed: 7, response_format: { type: 'json_schema' } },
			{ response_format: { type: 'json_object' } },
		],
		[
			'any JSON',
			{ seed: 7, response_format: { type: 'json_object' } },
			{ response_format: { type: 'json_schema' } },
		],
		['a schema of Ollama', { format: { type: 'object' } }, { format: 'json' }],
		['any JSON of Ollama', { format: 'json' }, { format: { type: 'object' } }],
		['no format', {}, {}],
		['no format, at temperature 0', { temperature: 0 }, undefined],
		['no format, at temperature 0 of Ollama', { options: { temperature: 0 } }, undefined],
		['no format, and a fixed seed', { seed: 7 }, undefined],
	])('runaway: with %s', (_name, body, expected) => {
		const step = decideWith(fail('runawayOutput'), { body });
		if (expected === undefined) expect(step.type).toBe('fail');
		else {
			expect(step).toMatchObject(sendRule('runaway'));
			const { changes } = (step as Extract<typeof step, { type: 'send' }>).request;
			expect(changes.reduce((changed, { apply }) => apply(changed), body)).toMatchObject(expected);
			expect(changes.filter(({ keptFor }) => keptFor !== 'exchange')).toEqual([]);
		}
	});

	test('correction: the corrected draft', () => {
		const outcomeIfUncorrected = { type: 'usable', value: 'usable' } as const;
		const correctable = {
			type: 'correctable',
			correctedDraft: 'second',
			outcomeIfUncorrected,
		} as const;
		expect(decideWith(correctable)).toMatchObject({
			...sendRule('correction'),
			request: { draft: 'second' },
		});
		expect(decideWith(correctable, { requestCount: MAX_REQUESTS })).toEqual({
			type: 'accept',
			value: 'usable',
		});
	});
});

test.each(RULES.map(({ name, limit }) => [name, limit] as const))(
	'%s: at most %d times',
	(name, limit) => {
		const appliedRules = Array.from({ length: limit }, () => ({ rule: name, because: '' }));
		const change = { name: 'new', apply: (body: JsonRecord) => body };
		const outcomes: Partial<Record<string, AttemptOutcome<string, string>>> = {
			route: { type: 'failed', error: MISSING, elapsedMs: 5_000 },
			serverFailure: { type: 'failed', error: createServerError('emptyResponse', {}) },
			runaway: fail('runawayOutput'),
			correction: {
				type: 'correctable',
				correctedDraft: 'second',
				outcomeIfUncorrected: { type: 'usable', value: '' },
			},
		};
		const outcome = outcomes[name] ?? fail('badRequest');
		const adaptations = { [name]: [() => change] };
		expect(decideWith(outcome, { adaptations, appliedRules: appliedRules.slice(1) })).toMatchObject(
			sendRule(name),
		);
		expect(decideWith(outcome, { adaptations, appliedRules }).type).not.toBe('send');
	},
);

test.each<ErrorType>(['outputParseFailed', 'runawayOutput', 'badRequest', 'routeNotFound'])(
	'nothing is sent again after output of the attempt was shown: %s',
	(type) => {
		const change = { name: 'new', apply: (body: JsonRecord) => body };
		const outcome = fail(type, '', true);
		expect(decideWith(outcome, { adaptations: { field: [() => change] } }).type).toBe('fail');
	},
);

describe('the error', () => {
	const fieldError = fail('badRequest', "Unknown parameter: 'top_k'");
	const getError = (
		first: AttemptOutcome<string, string>,
		last: AttemptOutcome<string, string>,
	) => {
		const state = createState({ body: { top_k: 1 }, missingUrls: ['a'] });
		const step = decide(state, first) as Extract<ReturnType<typeof decideWith>, { type: 'send' }>;
		const next = { ...advance(state, first, step), body: {} };
		const final = decide(next, last);
		return final.type === 'fail' ? final.error : undefined;
	};

	test('is the first one, if the changed request is rejected, too', () => {
		expect(getError(fieldError, fail('badRequest', 'other'))?.serverText).toContain('top_k');
	});

	test.each<ErrorType>(['modelNotFound', 'featureDisabled', 'promptTooLong'])(
		'is the later one, if the changed request has a cause that the first did not name: %s',
		(type) => {
			const error = createServerError(type, {}, { status: 404 });
			expect(getError(fieldError, { type: 'failed', error })?.type).toBe(type);
		},
	);

	test.each<ErrorType>(['badRequest', 'modelNotFound', 'promptTooLong'])(
		'is the first one, if it names a cause, also if the later one is %s',
		(type) => {
			const first = fail('toolsUnsupported', "Unknown parameter: 'top_k'");
			const error = createServerError(type, {}, { status: 404 });
			expect(getError(first, { type: 'failed', error })?.type).toBe('toolsUnsupported');
		},
	);

	test('is the later one, if the first is a missing route', () => {
		const missing = { type: 'failed', error: MISSING } as const;
		expect(getError(missing, fail('badRequest', 'other'))?.serverText).toBe('other');
	});

	test('is the later one, if the changed request was accepted', () => {
		const timeout: AttemptOutcome<string, string> = {
			type: 'failed',
			error: createServerError('idleTimeout', {}),
		};
		expect(getError(fieldError, timeout)?.type).toBe('idleTimeout');
	});

	test.each<ErrorType>(['connectionRefused', 'serverError', 'idleTimeout'])(
		'of a server that failed is not replaced by that of its second try: %s',
		(type) => {
			const first: AttemptOutcome<string, string> = {
				type: 'failed',
				error: createServerError('closedBeforeResponse', {}),
			};
			const second = createServerError(type, {}, { status: 500 });
			expect(getError(first, { type: 'failed', error: second })?.type).toBe('closedBeforeResponse');
		},
	);
});
