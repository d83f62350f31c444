/** The record of a run, polled with its own clock. */
import { performance } from 'node:perf_hooks';
import type { DifyClient } from '../../../../lib/dify/client';
import { createDifyError } from '../../../../lib/dify/create-error';
import {
	pollAndApplyMessage,
	pollAndApplyRunRecord,
	createStillRunningError,
	fetchAndKeepStoredText,
	fetchEndedRunRecord,
	fetchRunRecord,
	getPollInterval,
	pollRunRecord,
} from '../../../../lib/dify/run/run-record';
import type { WaitOptions } from '../../../../lib/dify/run/run-record';
import { applyEvent, createRunState } from '../../../../lib/dify/run/run-state';
import type { ServerError } from '../../../../lib/errors/server-error';
import { getError } from '../../../support/jest/get-error';
import { json } from '../../../support/servers/scripted-server';
import { events, RUN, useDify } from './scripted-dify';

type Response = object | ServerError;

/** A client that gets these responses in turn, the last one again and again, and whose pauses take no time. */
function createClient(...responses: Response[]) {
	const requests: unknown[][] = [];
	const pauses: number[] = [];
	let now = 5_000;
	jest.spyOn(performance, 'now').mockImplementation(() => now);
	const client = {
		get: async (...request: unknown[]) => {
			requests.push(request);
			const response = responses.length > 1 ? responses.shift()! : responses[0]!;
			if (response instanceof Error) throw response;
			return await Promise.resolve(response);
		},
		sleep: async (ms: number) => {
			pauses.push(ms);
			now += ms;
			await Promise.resolve();
		},
	};
	return { client: client as unknown as DifyClient, requests, pauses };
}

afterEach(() => jest.restoreAllMocks());

const RUNNING = { id: RUN, status: 'running' };
const DONE = { id: RUN, status: 'succeeded', outputs: '{"text":"Hi"}' };
const MISSING = createDifyError('runNotFound');
const DOWN = createDifyError('badGateway', { status: 502 });

async function poll(options: WaitOptions, ...responses: Response[]) {
	const { client, requests, pauses } = createClient(...responses);
	const outcome = await pollRunRecord(client, RUN, options).catch((error: ServerError) => error);
	const end = outcome instanceof Error ? outcome.type : outcome.status;
	const sum = pauses.reduce((total, ms) => total + ms, 0);
	return { end, outcome, pauses, seconds: sum / 1000, requests: requests.length };
}

describe('a run is polled', () => {
	test.each(['running', 'scheduled'])('while it is %s, at growing intervals', async (status) => {
		const waiting = Array.from({ length: 7 }, () => ({ ...RUNNING, status }));
		expect(await poll({}, ...waiting, DONE)).toMatchObject({
			end: 'succeeded',
			pauses: [1_000, 2_000, 3_000, 5_000, 10_000, 10_000, 10_000],
		});
		expect([0, 4, 5, 99].map(getPollInterval)).toEqual([1_000, 10_000, 10_000, 10_000]);
	});

	test.each(['failed', 'stopped', 'paused', 'partial-succeeded'])(
		'until it is %s',
		async (status) => {
			expect(await poll({}, RUNNING, { id: RUN, status })).toMatchObject({
				end: status,
				requests: 2,
			});
		},
	);

	test('up to its timeout, and again at its end', async () => {
		expect(await poll({ timeoutMs: 4_000 }, RUNNING)).toMatchObject({
			end: 'runTimeout',
			pauses: [1_000, 2_000, 1_000],
			requests: 4,
			outcome: {
				retryable: false,
				facts: { workflowRunId: RUN },
				detail: `Dify has not reported the end of the run ${RUN} for 4 s`,
			},
		});
	});

	test.each([0, 9e9])('for an hour at most, with a timeout of %d ms', async (timeoutMs) => {
		expect(await poll({ timeoutMs }, RUNNING)).toMatchObject({ end: 'runTimeout', seconds: 3_600 });
	});

	test('once, if only its present state counts', async () => {
		expect(await poll({ once: true }, RUNNING)).toMatchObject({ end: 'runTimeout', requests: 1 });
		expect(await poll({ once: true }, DONE)).toMatchObject({ end: 'succeeded' });
	});

	test.each<[string, Response[], number, string]>([
		['a new run without a record for ten seconds', [MISSING], 11, 'runNotFound'],
		['a run that has had a record, for thirty', [RUNNING, MISSING], 31, 'runNotFound'],
		['an API that restarts for thirty', [DOWN], 31, 'badGateway'],
		['and one that restarts later', [RUNNING, DOWN], 31, 'badGateway'],
	])('through %s', async (_name, responses, seconds, end) => {
		expect(await poll({}, ...responses)).toMatchObject({ end, seconds });
	});

	test('through any number of such gaps', async () => {
		const gap = [DOWN, DOWN, DOWN, RUNNING];
		const gaps = [...gap, ...gap, ...gap, ...gap];
		expect(await poll({}, RUNNING, ...gaps, DONE)).toMatchObject({ end: 'succeeded' });
	});

	test.each([
		createDifyError('unauthorized'),
		createDifyError('serverError'),
		createDifyError('aborted'),
		new Error('not of a server'),
	])('not through $message', async (error) => {
		const lists: Response[][] = [[error as ServerError], [RUNNING, error as ServerError]];
		for (const list of lists) {
			const count = list.length;
			const { client, requests } = createClient(...list);
			await expect(pollRunRecord(client, RUN)).rejects.toBe(error);
			expect(requests).toHaveLength(count);
		}
	});
});

test('the error of a run that may continue rounds the time', () => {
	expect(createStillRunningError('r', 1_600)).toMatchObject({
		type: 'runTimeout',
		message: 'Timed out waiting for the Dify run',
		detail: expect.stringMatching(/r for 2 s$/) as string,
		suggestion: expect.stringContaining('run ID r') as string,
	});
});

describe('a record', () => {
	const read = async (record: object) => await fetchRunRecord(createClient(record).client, RUN);

	test('is read from its path', async () => {
		const { client, requests } = createClient(DONE);
		await fetchRunRecord(client, RUN);
		expect(requests).toEqual([[`/workflows/run/${RUN}`]]);
	});

	test('has the values of the run, without system variables', async () => {
		const raw = {
			id: RUN,
			workflow_id: 'w',
			status: 'succeeded',
			inputs: '{"sys.user_id":"u","city":"Rome","id":9007199254740993}',
			outputs: { text: 'Hi' },
			error: '',
			total_steps: 3,
			total_tokens: 40,
			created_at: 1,
			finished_at: 2,
			elapsed_time: 0.5,
		};
		expect(await read(raw)).toEqual({
			runId: RUN,
			workflowId: 'w',
			status: 'succeeded',
			inputs: { city: 'Rome', id: '9007199254740993' },
			outputs: { text: 'Hi' },
			error: undefined,
			totalSteps: 3,
			totalTokens: 40,
			createdAt: 1,
			finishedAt: 2,
			elapsedTime: 0.5,
			raw,
		});
	});

	test.each([
		[null, {}],
		['', {}],
		[undefined, {}],
		['plain text', 'plain text'],
		['[1]', [1]],
		[[1], [1]],
		[{ a: 1 }, { a: 1 }],
	])('with the values %j has %j', async (stored, values) => {
		const { inputs, outputs } = await read({ status: 'failed', inputs: stored, outputs: stored });
		expect([inputs, outputs]).toEqual([values, values]);
	});

	test('without a status does not exist', async () => {
		await expect(read({ message: 'x' })).rejects.toMatchObject({
			type: 'runNotFound',
			retryable: false,
			facts: { workflowRunId: RUN },
		});
	});
});

describe('the record of a silent run', () => {
	const start = useDify();
	const ROUTE = `GET /v1/workflows/run/${RUN}`;

	test.each([
		{ status: 'running', ended: undefined },
		{ status: 'scheduled', ended: undefined },
		{ status: 'paused', ended: { status: 'paused', runId: RUN } },
		{ status: 'stopped', ended: { status: 'stopped', runId: RUN } },
		{ status: 'succeeded', ended: { status: 'succeeded', runId: RUN, outputs: { text: 'Hi' } } },
	])('tells whether the run has ended with the status $status', async ({ status, ended }) => {
		const { client } = await start({ [ROUTE]: json({ ...DONE, status }) });
		const record = await fetchEndedRunRecord(client, RUN);
		if (ended === undefined) expect(record).toBeUndefined();
		else expect(record).toMatchObject(ended);
	});

	test.each([
		{ what: 'a gateway without a server', status: 503, body: '<html></html>', type: 'badGateway' },
		{
			what: 'no such run',
			status: 404,
			body: { code: 'not_found', message: 'Workflow run not found', status: 404 },
			type: 'runNotFound',
		},
		{ what: 'no status', status: 200, body: { message: 'x' }, type: 'runNotFound' },
	])('is asked for once, also after $what', async ({ status, body, type }) => {
		const { server, client } = await start({ [ROUTE]: json(body, status) });
		expect(await getError(fetchEndedRunRecord(client, RUN))).toMatchObject({ type });
		expect(server.requests.map(({ path }) => path)).toEqual([`/v1/workflows/run/${RUN}`]);
	});
});

describe('a run is completed from its record', () => {
	const IDS = { conversation_id: 'c', message_id: 'm', task_id: 't', workflow_run_id: RUN };

	async function complete(record: object, options = {}) {
		const run = createRunState(options);
		applyEvent(run, { event: 'workflow_started', ...IDS, data: { id: RUN } });
		applyEvent(run, { event: 'message', ...IDS, answer: 'Hel' });
		const { client } = createClient(RUNNING, record);
		return { run, deltas: await pollAndApplyRunRecord(client, run, { runId: RUN }) };
	}

	test('with the text of its pause', async () => {
		const { run } = await complete({ id: RUN, status: 'paused', outputs: { answer: 'Hello?' } });
		expect(run.text).toBe('Hello?');
	});

	test.each([
		[{ files: [{ id: 'f' }] }, ['f']],
		[{ files: { value: [{ id: 'f' }] } }, ['f']],
		[{}, []],
	])('with the files of %j', async (outputs, ids) => {
		const { run } = await complete({ ...DONE, outputs });
		expect(run.files.map(({ id }) => id)).toEqual(ids);
	});

	test.each([true, false])(
		'to its pause, whose forms are unknown: waiting %s',
		async (isWaiting) => {
			const run = createRunState({ continueAfterPause: isWaiting });
			run.forms.add({ formId: 'f' } as never);
			const { client } = createClient({ id: RUN, status: 'paused' });
			await pollAndApplyRunRecord(client, run, { runId: RUN });
			expect(run.pause?.forms).toHaveLength(isWaiting ? 0 : 1);
			expect(run.reportedEnd).toBeUndefined();
		},
	);
});

describe('the text that is stored of a chatflow', () => {
	const start = useDify();
	const STORED = {
		data: [
			{ id: 'other', answer: 'Other' },
			{ id: 'm', answer: 'Removed.' },
		],
	};
	const withoutConversation = { ...events.flowText('Hel'), conversation_id: undefined };
	const withoutMessage = { ...events.flowText('Hel'), message_id: undefined };
	/** An end in a record, which has neither conversation nor message. */
	const ended = (status: string) => ({ event: 'workflow_finished', data: { id: RUN, status } });

	async function keep(list: object[], moderation?: unknown, messages: object = STORED) {
		const run = createRunState();
		for (const event of list) applyEvent(run, event);
		const { server, client } = await start({
			'GET /v1/messages': json(messages),
			'GET /v1/parameters': json({ sensitive_word_avoidance: moderation }),
		});
		await fetchAndKeepStoredText(client, run, 'anna');
		return { closingText: run.closingText, paths: server.requests.map(({ path }) => path) };
	}

	const PARAMETERS = '/v1/parameters';
	const MESSAGES = '/v1/messages?conversation_id=c&user=anna';

	test.each([
		{ of: 'a stopped run', status: 'stopped', moderation: undefined, paths: [MESSAGES] },
		{
			of: 'a run of an app with moderation',
			status: 'succeeded',
			moderation: { enabled: true },
			paths: [PARAMETERS, MESSAGES],
		},
		{
			of: 'a failed run of an app with moderation',
			status: 'failed',
			moderation: { enabled: true },
			paths: [PARAMETERS, MESSAGES],
		},
	])('is kept as the closing text of $of', async ({ status, moderation, paths }) => {
		expect(await keep([events.flowText('Hel'), ended(status)], moderation)).toEqual({
			closingText: { text: 'Removed.', status, mayBeOlder: true, isMessage: true },
			paths,
		});
	});

	test.each([
		{ moderation: { enabled: false } },
		{ moderation: {} },
		{ moderation: undefined },
		{ moderation: null },
	])('is not fetched for an app with the moderation $moderation', async ({ moderation }) => {
		expect(await keep([events.flowText('Hel'), ended('succeeded')], moderation)).toEqual({
			closingText: undefined,
			paths: [PARAMETERS],
		});
	});

	test.each([
		{ lacks: 'a conversation', list: [withoutConversation, ended('stopped')] },
		{ lacks: 'a message', list: [withoutMessage, ended('stopped')] },
		{ lacks: 'an end', list: [events.flowText('Hel')] },
	])('is not fetched for a run that lacks $lacks', async ({ list }) => {
		expect(await keep(list, { enabled: true })).toEqual({ closingText: undefined, paths: [] });
	});

	test.each([
		{ are: 'none', data: [] },
		{ are: 'those of another message', data: [{ id: 'other', answer: 'Other' }] },
		{ are: 'empty', data: [{ id: 'm', answer: '' }] },
		{ are: 'not a text', data: [{ id: 'm', answer: null }] },
		{ are: 'without an answer', data: [{ id: 'm' }] },
	])('is not there if the stored messages are $are', async ({ data }) => {
		const run = [events.flowText('Hel'), ended('stopped')];
		expect(await keep(run, undefined, { data })).toEqual({
			closingText: undefined,
			paths: [MESSAGES],
		});
	});
});

describe('the response of an agent is completed from its message', () => {
	const thought = (id: string, text: string, more: object = {}) => ({
		id,
		thought: text,
		tool: '',
		...more,
	});
	const listed = (...thoughts: object[]) => ({
		data: [{ id: 'other' }, { id: 'm', agent_thoughts: thoughts }],
	});

	async function complete(text: string, user: unknown, ...responses: Response[]) {
		const run = createRunState();
		const IDS = { conversation_id: 'c', message_id: 'm', task_id: 't' };
		applyEvent(run, { event: 'agent_message', ...IDS, answer: text });
		const { client, requests, pauses } = createClient(...responses);
		const deltas = await pollAndApplyMessage(client, run, { user });
		return { run, deltas, requests, pauses };
	}

	test('once its last thought has a text and no tool', async () => {
		const first = thought('a', 'I look. ', { tool: 'clock' });
		const { run, deltas, requests, pauses } = await complete(
			'I look. ',
			'u',
			listed(first),
			listed(first, thought('b', '')),
			listed(first, thought('b', 'It is noon.')),
		);
		expect(run.text).toBe('I look. It is noon.');
		expect(deltas).toEqual([{ type: 'append', text: 'It is noon.' }]);
		expect(run.thoughts.map(({ id }) => id)).toEqual(['a', 'b']);
		expect(run.hasMessageEnd).toBe(true);
		expect(pauses).toEqual([1_000, 2_000]);
		expect(requests[0]).toEqual(['/messages', { conversation_id: 'c', user: 'u' }]);
	});

	test('with the last thought alone if it streamed another text', async () => {
		const tool = { tool: 'clock' };
		const thoughts = [
			thought('a', 'Thought: look', tool),
			thought('b', 'Thought: ask', tool),
			thought('c', 'Noon.'),
		];
		const { run, requests } = await complete('Let me look', 7, listed(...thoughts));
		expect(run.text).toBe('Noon.');
		expect(requests[0]).toEqual(['/messages', { conversation_id: 'c', user: undefined }]);
	});

	test('with its thinking apart', async () => {
		const { run } = await complete('I ', 'u', listed(thought('a', '<think>Hm</think>I know.')));
		expect(run).toMatchObject({ text: 'I know.', textReasoning: 'Hm' });
	});

	test.each([[{ data: [] }], [listed()]])('not from %j', async (response) => {
		await expect(complete('', 'u', response)).rejects.toMatchObject({ type: 'messageNotFound' });
	});
});
