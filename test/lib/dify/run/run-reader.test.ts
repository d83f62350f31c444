/** How a run is read to its end, whatever becomes of its stream. Timeouts: test/nodes/DifyChatMessage/send.limits.test.ts. */
import { createDifyClient } from '../../../../lib/dify/credentials';
import { readRun } from '../../../../lib/dify/run/run-reader';
import type { RunReaderOptions } from '../../../../lib/dify/run/run-reader';
import type { RunResult, TextDelta } from '../../../../lib/dify/types';
import type { ServerError } from '../../../../lib/errors/server-error';
import { openStream, send } from '../../../guarantees/support/responses';
import { json } from '../../../support/servers/scripted-server';
import type { Answer, Routes } from '../../../support/servers/scripted-server';
import { events, IDS, RUN, stream, TASK, useDify } from './scripted-dify';

jest.mock('../../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../../support/waiting/mock-sleep'),
);

const start = useDify();
const { started, finished, flowText, flowEnd, text, messageEnd, thought } = events;
const RECORD = `GET /v1/workflows/run/${RUN}`;

interface Setup extends RunReaderOptions {
	routes?: Routes;
	signal?: AbortSignal;
}

/** Reads the run of this answer. */
async function read(answer: Answer, { routes, signal, ...options }: Setup = {}) {
	const { server, client } = await start({ 'POST /v1/run': answer, ...routes }, signal);
	const deltas: TextDelta[] = [];
	const onDeltas = async (list: TextDelta[]) => {
		expect(list).not.toEqual([]);
		await Promise.resolve(void deltas.push(...list));
	};
	const request = { url: client.buildUrl('/run'), json: { user: 'u' } };
	const reading = readRun(client, request, { onDeltas, ...options });
	const settled = await reading.then(
		(result) => ({ result }),
		(error: ServerError) => ({ error }),
	);
	const { result, error } = settled as { result?: RunResult; error?: ServerError };
	const paths = server.requests
		.slice(1)
		.map(({ method, path }) => `${method} ${path}`)
		// Read to know whether the app has moderation.
		.filter((path) => path !== 'GET /v1/parameters');
	return { result, error, deltas, paths, server };
}

const append = (...texts: string[]) => texts.map((each) => ({ type: 'append', text: each }));

describe('a run that ends in its stream', () => {
	test.each(['end', 'open', 'break'] as const)(
		'a run ends with its last event, whatever the stream does then: %s',
		async (how) => {
			const { result, deltas, paths } = await read(
				stream([started, flowText('Hi'), finished(), flowEnd], how),
			);
			expect(result).toMatchObject({ status: 'succeeded', text: 'Hi', taskId: TASK, warnings: [] });
			expect(result!.warnings).toHaveLength(0);
			expect(deltas).toEqual(append('Hi'));
			expect(paths).toEqual([]);
		},
	);

	test('shows all of its text, also the possible beginning of a tag', async () => {
		const { result, deltas } = await read(stream([text('x '), text('<'), messageEnd]));
		expect(result!.text).toBe('x <');
		expect(deltas).toEqual(append('x ', '<'));
	});

	test('needs no display', async () => {
		const { result } = await read(stream([text('Hi'), messageEnd]), { onDeltas: undefined });
		expect(result).toMatchObject({ status: 'succeeded', text: 'Hi' });
	});

	test('a short key stays in what the app wrote, since it can be guessed there', async () => {
		const { server } = await start({ 'POST /v1/run': stream([text('short-key-1'), messageEnd]) });
		const client = createDifyClient({ baseUrl: `${server.url}/v1`, apiKey: 'short-key-1' });
		const request = { url: client.buildUrl('/run'), json: { user: 'u' } };
		expect(await readRun(client, request, {})).toMatchObject({ text: 'short-key-1' });
	});

	test('removes thinking that the text only ends', async () => {
		const { result, deltas } = await read(stream([text('Hm</think>Hi'), messageEnd]));
		expect(result).toMatchObject({ text: 'Hi', reasoning: 'Hm' });
		expect(deltas.at(-1)).toEqual({ type: 'replace', text: 'Hi', reason: 'unopened_thinking' });
	});

	test('without message_end may lack sources and files', async () => {
		const { result } = await read(stream([started, flowText('Hi'), finished()]));
		expect(result).toMatchObject({ status: 'succeeded', text: 'Hi' });
		expect(result!.warnings).toEqual([expect.stringContaining('token counts, sources and files')]);
	});

	test('in a failure is an error with its text, its IDs and the version of Dify', async () => {
		const answer: Answer = (_request, response) => {
			response.setHeader('x-version', '1.16.1');
			stream([started, flowText('Hi'), finished('failed', { error: 'broken' }), flowEnd])(
				_request,
				response,
			);
		};
		const { error } = await read(answer);
		expect(error).toMatchObject({
			message: 'broken',
			url: expect.stringMatching(/\/v1\/run$/) as string,
			partialText: 'Hi',
			facts: { difyVersion: '1.16.1', taskId: TASK, workflowRunId: RUN },
			retryable: false,
		});
	});
});

describe('a complete message whose run has not ended', () => {
	const answer = stream([started, flowText('Hi'), flowEnd]);

	test.each<[string, Answer, object]>([
		['has the status of its record', json({ id: RUN, status: 'stopped' }), { status: 'stopped' }],
		['has succeeded if the record is missing', json({}, 404), { status: 'succeeded' }],
		[
			'has succeeded if the record is not updated',
			json({ id: RUN, status: 'running' }),
			{ status: 'succeeded' },
		],
	])('a complete message whose run has not ended %s', async (_name, record, expected) => {
		const { result, paths } = await read(answer, { routes: { [RECORD]: record } });
		expect(result).toMatchObject({ ...expected, text: 'Hi' });
		expect(paths[0]).toBe(RECORD);
	});

	test.each([
		{ idleMs: 600_000, looks: 5 },
		{ idleMs: 0, looks: 5 },
		{ idleMs: 4_000, looks: 4 },
	])(
		'is looked up $looks times in a row with an idle timeout of $idleMs ms',
		async ({ idleMs, looks }) => {
			const routes = { [RECORD]: json({ id: RUN, status: 'running' }) };
			const { result, paths } = await read(answer, { routes, timeouts: { idleMs } });
			expect(result!.status).toBe('succeeded');
			expect(paths).toEqual(Array.from({ length: looks }, () => RECORD));
		},
	);

	test('fails if its record has failed', async () => {
		const record = json({ id: RUN, status: 'failed', error: 'broken' });
		const { error } = await read(answer, { routes: { [RECORD]: record } });
		expect(error).toMatchObject({ message: 'broken', partialText: 'Hi' });
	});

	test('shows text that only the record has', async () => {
		const record = json({ id: RUN, status: 'succeeded', outputs: { answer: 'Hi there' } });
		const { result, deltas } = await read(answer, { routes: { [RECORD]: record } });
		expect(result!.text).toBe('Hi there');
		expect(deltas).toEqual(append('Hi', ' there'));
	});
});

describe('a stream that breaks off', () => {
	const broken = stream([started, flowText('Hel')], 'break');
	const done = { id: RUN, status: 'succeeded', outputs: { answer: 'Hello' } };

	test.each(['break', 'end'] as const)('is completed from the record: %s', async (how) => {
		const { result, deltas, paths } = await read(stream([started, flowText('Hel')], how), {
			routes: { [RECORD]: [json({ ...done, status: 'running' }), json(done)] },
		});
		expect(result).toMatchObject({ status: 'succeeded', text: 'Hello' });
		expect(result!.warnings).toEqual([expect.stringContaining("read from Dify's run record")]);
		expect(deltas).toEqual(append('Hel', 'lo'));
		expect(paths).toHaveLength(2);
	});

	test('fails as its record does', async () => {
		const record = json({ id: RUN, status: 'failed', error: 'broken' });
		const { error } = await read(broken, { routes: { [RECORD]: record } });
		expect(error).toMatchObject({ message: 'broken', partialText: 'Hel' });
	});

	test('is an error with its text if the record cannot be read', async () => {
		const record = json({ code: 'unauthorized', message: 'x', status: 401 }, 401);
		const stop = jest.fn(async () => await Promise.resolve(true));
		const { error } = await read(broken, { routes: { [RECORD]: record }, stop });
		expect(error).toMatchObject({
			type: 'streamEndedEarly',
			partialText: 'Hel',
			facts: { workflowRunId: RUN },
			retryable: false,
		});
		expect(stop).not.toHaveBeenCalled();
	});

	test('is stopped if its record is still running at the total timeout', async () => {
		const stop = jest.fn(async () => await Promise.resolve(true));
		const { error, paths } = await read(broken, {
			routes: { [RECORD]: json({ ...done, status: 'running' }) },
			timeouts: { totalMs: 10_000 },
			stop,
		});
		expect(error).toMatchObject({ type: 'streamEndedEarly', partialText: 'Hel' });
		expect(stop.mock.calls).toEqual([[TASK]]);
		expect(paths.length).toBeLessThan(8);
	});

	test('of an agent is completed from its message', async () => {
		const thoughts = [{ id: 'a1', thought: 'I look.', tool: '' }];
		const messages = json({ data: [{ id: 'm', agent_thoughts: thoughts }] });
		const { result, paths } = await read(stream([thought('I look'), text('I')], 'break'), {
			routes: { 'GET /v1/messages': messages },
		});
		expect(result).toMatchObject({ text: 'I look.' });
		expect(result!.warnings).toEqual([expect.stringContaining('the message stored in Dify')]);
		expect(paths).toEqual(['GET /v1/messages?conversation_id=c&user=u']);
	});

	test.each([
		{ timeouts: { idleMs: 4_000 }, looks: 4 },
		{ timeouts: { idleMs: 4_000, totalMs: 1_500 }, looks: 3 },
	])(
		'of an agent whose message does not change is an error after $looks looks, with $timeouts',
		async ({ timeouts, looks }) => {
			const unfinished = { id: 'm', agent_thoughts: [{ id: 'a1', thought: '', tool: 'clock' }] };
			const { error, paths } = await read(stream([thought('I look'), text('I')], 'break'), {
				routes: { 'GET /v1/messages': json({ data: [unfinished] }) },
				timeouts,
			});
			expect(error).toMatchObject({ type: 'streamEndedEarly', partialText: 'I' });
			expect(paths).toHaveLength(looks);
		},
	);

	test('of a workflow is waited for longer than its idle timeout', async () => {
		const running = json({ ...done, status: 'running' });
		const { result, paths } = await read(broken, {
			routes: { [RECORD]: [...Array.from({ length: 8 }, () => running), json(done)] },
			timeouts: { idleMs: 4_000 },
		});
		expect(result).toMatchObject({ status: 'succeeded', text: 'Hello' });
		expect(paths).toHaveLength(9);
	});

	const MESSAGES = 'GET /v1/messages';
	const stored = (answer: unknown) => json({ data: [{ id: 'other' }, { id: 'm', answer }] });
	const moderation = (enabled: boolean) => json({ sensitive_word_avoidance: { enabled } });

	test.each<[string, string, boolean, unknown, string]>([
		['of an app with moderation', 'succeeded', true, 'Removed.', 'Removed.'],
		['of an app with moderation that changed nothing', 'succeeded', true, 'Hello', 'Hello'],
		['but not one that is empty', 'succeeded', true, '', 'Hello'],
		['but not of other apps', 'succeeded', false, 'Other', 'Hello'],
		['of a stopped run', 'stopped', false, 'Removed.', 'Removed.'],
		['of a stopped run, longer', 'stopped', false, 'Hell', 'Hell'],
		['but not an older one of a stopped run', 'stopped', false, 'He', 'Hel'],
		['but not an empty one of a stopped run', 'stopped', false, '', 'Hel'],
	])('has the stored message %s', async (_name, status, isModerated, answer, expected) => {
		const outputs = status === 'stopped' ? {} : done.outputs;
		const { result } = await read(broken, {
			routes: {
				[RECORD]: json({ id: RUN, status, outputs, finished_at: 9 }),
				'GET /v1/parameters': moderation(isModerated),
				[MESSAGES]: stored(answer),
			},
		});
		expect(result).toMatchObject({ status, text: expected });
	});

	test.each<[string, object, string]>([
		['shorter, without an end', { outputs: { answer: 'He' } }, 'Hel'],
		['shorter, with an end', { outputs: { answer: 'He' }, finished_at: 9 }, 'He'],
		['other, without an end', { outputs: { answer: 'Bye' } }, 'Bye'],
		['empty', { outputs: { answer: '' } }, 'Hel'],
	])('has the text of a record that is %s', async (_name, record, expected) => {
		const { result } = await read(broken, { routes: { [RECORD]: json({ ...done, ...record }) } });
		expect(result!.text).toBe(expected);
	});

	test('of a chatbot, which stores nothing, is an error with its text', async () => {
		const { error, paths } = await read(stream([text('Hi')], 'break'));
		expect(error).toMatchObject({
			type: 'streamEndedEarly',
			status: 200,
			partialText: 'Hi',
			facts: { conversationId: 'c', messageId: 'm', taskId: TASK },
		});
		expect(paths).toEqual([]);
	});

	test('of an existing run is completed from its record, although its message is complete', async () => {
		const { result } = await read(stream([started, flowText('lo'), flowEnd]), {
			followedRunId: RUN,
			routes: { [RECORD]: json(done) },
		});
		expect(result).toMatchObject({ status: 'succeeded', text: 'Hello' });
		expect(result!.warnings).toEqual([expect.stringContaining("read from Dify's run record")]);
	});

	const pings =
		(more = ''): Answer =>
		(_request, response) => {
			openStream(response);
			response.end(`event: ping\n\n${more}`);
		};
	const pingsAndReset: Answer = (_request, response) => {
		openStream(response);
		response.write('event: ping\n\n', () => response.destroy());
	};
	test.each([
		['that had only pings is waiting in a queue', pings(), undefined, 'runQueued'],
		[
			'with the page of a proxy is not',
			pings('upstream timed out\n\n'),
			undefined,
			'streamEndedEarly',
		],
		['of an existing run is not', pings(), RUN, 'streamEndedEarly'],
		['with its connection is not', pingsAndReset, undefined, 'streamEndedEarly'],
	])('a stream that breaks off %s', async (_name, answer, runId, type) => {
		const routes = { [RECORD]: json({ code: 'unauthorized', message: 'x', status: 401 }, 401) };
		expect((await read(answer, { followedRunId: runId, routes })).error!.type).toBe(type);
	});
});

test('a timeout stops the run, unless its record has ended', async () => {
	const silent = (list: object[], timeouts: RunReaderOptions['timeouts'], status = 'running') => {
		const routes = { [RECORD]: json({ id: RUN, status }) };
		const stop = jest.fn(async () => await Promise.resolve(false));
		return read(stream(list, 'open'), { timeouts, routes, stop }).then(
			({ result, error, paths }) => ({
				type: error?.type ?? result?.status,
				detail: error?.detail,
				stops: stop.mock.calls.flat(),
				records: paths.length,
			}),
		);
	};
	const idle = expect.stringContaining('(Idle Timeout)') as string;
	const total = expect.stringContaining('(Total Timeout)') as string;
	const stops = [TASK];
	expect(
		await Promise.all([
			silent([], { idleMs: 1_000 }),
			silent([text('Hi')], { idleMs: 1_000 }),
			silent([text('Hi')], { totalMs: 1_000 }),
			silent([started], { idleMs: 1_000 }),
			silent([started], { idleMs: 1_000 }, 'succeeded'),
		]),
	).toStrictEqual([
		{ type: 'runQueued', detail: idle, stops: [], records: 0 },
		{ type: 'runTimeout', detail: idle, stops, records: 0 },
		{ type: 'runTimeout', detail: total, stops, records: 0 },
		{ type: 'runTimeout', detail: idle, stops, records: 1 },
		{ type: 'succeeded', detail: undefined, stops: [], records: 1 },
	]);
});

describe('a request without a stream', () => {
	const MAY_HAVE_STARTED = 'A run may have started';
	const reset: Answer = (_request, response) => response.destroy();

	test.each<[string, Answer, string | undefined, string, boolean]>([
		['a closed connection', reset, undefined, 'closedBeforeResponse', true],
		['a gateway', json('<html></html>', 502), undefined, 'badGateway', true],
		['a gateway, for a run that exists', json('<html></html>', 502), RUN, 'badGateway', false],
		[
			'a rejected key',
			json({ code: 'unauthorized', message: 'x' }, 401),
			undefined,
			'unauthorized',
			false,
		],
	])(
		'the error of a request without a stream: %s',
		async (_name, answer, runId, type, mayHaveStarted) => {
			const { error, paths } = await read(answer, { followedRunId: runId });
			expect(error!.type).toBe(type);
			expect(paths).toEqual([]);
			expect(error!.suggestion.includes(MAY_HAVE_STARTED)).toBe(mayHaveStarted);
		},
	);

	const REJECTION = { code: 'not_found', message: 'Conversation Not Exists.', status: 404 };
	test('may be rejected with status 200', async () => {
		const { error } = await read(json(REJECTION));
		expect(error).toMatchObject({ type: 'notFound', status: 404, retryable: false });
		expect(error!.partialText).toBeUndefined();
		expect(error!.result).toBeUndefined();
	});

	test('an event with a code and a message is not the error of its run', async () => {
		const warning = { event: 'warning', code: 'low_credit', message: 'Low credit', status: 402 };
		const { result } = await read(stream([warning, text('Hi'), messageEnd]));
		expect(result).toMatchObject({ text: 'Hi', warnings: ['Dify warns: "Low credit"'] });
	});

	test('the same after the first event is the error of a run that has started', async () => {
		const { error } = await read(stream([text('Hi'), REJECTION]));
		expect(error).toMatchObject({ type: 'notFound', partialText: 'Hi' });
		expect(error!.facts).toMatchObject({ taskId: TASK });
	});
});

describe('Stop', () => {
	/** Stops after the first text. The stream goes on until `stop` resolves. */
	async function stopAfterText(isAccepted: boolean, more: Setup = {}) {
		const controller = new AbortController();
		let end = () => {};
		const answer = stream([text('Hi')], 'open', (response) => {
			end = () => {
				send(response, { event: 'later version' });
				response.end();
			};
		});
		const stop = jest.fn<Promise<boolean>, [string]>(async () => {
			if (isAccepted) end();
			return await Promise.resolve(isAccepted);
		});
		const onDeltas = async () => await Promise.resolve(controller.abort());
		const { signal } = controller;
		return { stop, ...(await read(answer, { stop, onDeltas, signal, ...more })) };
	}

	test.each([true, false])('is sent once, and is in the error: accepted %s', async (isAccepted) => {
		const { error, stop } = await stopAfterText(isAccepted);
		expect(error).toMatchObject({
			type: 'aborted',
			detail: 'The execution was stopped',
			partialText: 'Hi',
			facts: { stopRequested: isAccepted, taskId: TASK },
		});
		expect(stop.mock.calls).toEqual([[TASK]]);
	});

	test('does not end a run that was started elsewhere, only its reading', async () => {
		const { error, server } = await stopAfterText(true, { stop: undefined });
		expect(error).toMatchObject({ type: 'aborted', partialText: 'Hi' });
		expect(error!.facts.stopRequested).toBeUndefined();
		await server.requests[0]!.cut;
	});

	test('waits for the ID of the run', async () => {
		const controller = new AbortController();
		const stop = jest.fn(async () => await Promise.resolve(false));
		const answer: Answer = (_request, response) => {
			openStream(response);
			controller.abort();
			send(response, text('Hi'), text('Hi'));
		};
		const { error, deltas } = await read(answer, { stop, signal: controller.signal });
		expect(error).toMatchObject({ type: 'aborted', facts: { stopRequested: false } });
		expect(stop.mock.calls).toEqual([[TASK]]);
		expect(deltas).toEqual([]);
	});

	test('before the request is the end', async () => {
		const { error, server } = await read(stream([]), { signal: AbortSignal.abort() });
		expect(error).toMatchObject({ type: 'aborted', url: `${server.url}/v1/run` });
		expect(server.requests).toEqual([]);
	});

	test.each([
		['stops the run', [], 1],
		['ends the reading of a complete message', [flowEnd], 0],
	])('while the record is polled %s', async (_name, end, stops) => {
		const controller = new AbortController();
		const stop = jest.fn(async () => await Promise.resolve(true));
		const running: Answer = (request, response) => {
			controller.abort();
			json({ id: RUN, status: 'running' })(request, response);
		};
		const { error } = await read(stream([started, flowText('Hi'), ...end], 'break'), {
			routes: { [RECORD]: running },
			signal: controller.signal,
			stop,
		});
		expect(error).toMatchObject({
			type: 'aborted',
			partialText: 'Hi',
			facts: { stopRequested: stops === 1 || undefined },
		});
		expect(stop).toHaveBeenCalledTimes(stops);
	});
});

test('a text that cannot be shown stops the run, and is in the error', async () => {
	const stop = jest.fn(async () => await Promise.resolve(false));
	const onDeltas = async () => await Promise.reject(new Error('chat closed'));
	const { error } = await read(stream([text('Hi'), text('!')], 'open'), { stop, onDeltas });
	expect(error).toMatchObject({
		type: 'aborted',
		detail: 'The run was cancelled: the response could not be passed on: chat closed',
		partialText: expect.stringContaining('Hi') as string,
	});
	expect(stop).toHaveBeenCalledTimes(1);
});

test('a text without end stops the run', async () => {
	const stop = jest.fn(async () => await Promise.resolve(true));
	const megabyte = text('word '.repeat(210_000));
	const { error } = await read(stream([megabyte, megabyte, megabyte], 'open'), { stop });
	expect(error).toMatchObject({
		type: 'invalidResponse',
		message: expect.stringContaining('more than 2 MB of text') as string,
		facts: { stopRequested: true, taskId: TASK },
	});
	expect(error!.partialText!.length).toBeGreaterThan(900_000);
});

describe('events with more values than fit into memory', () => {
	const values = Array.from({ length: 250_000 }, () => ({}));
	const ended = { event: 'node_finished', task_id: TASK, workflow_run_id: RUN };
	const nodeEvents = Array.from({ length: 9 }, (_none, id) => ({
		...ended,
		data: { id: `n${id}`, node_id: 'n', status: 'succeeded', outputs: values },
	}));

	test('of nodes are left out, with a warning, and the run is read to its end', async () => {
		const answer = stream([started, ...nodeEvents, flowText('Hi'), finished(), flowEnd]);
		const { result, paths } = await read(answer, { keepsNodeValues: true });
		expect(result).toMatchObject({ status: 'succeeded', text: 'Hi' });
		expect(result!.warnings).toEqual([expect.stringContaining('more data than is kept')]);
		expect(paths).toEqual([]);
	});

	test('without their values, small runs have no such warning', async () => {
		const { result } = await read(
			stream([started, ...nodeEvents.slice(0, 3), flowText('Hi'), finished(), flowEnd]),
		);
		expect(result!.warnings).toEqual([]);
	});

	test('in one event of any kind: the result is read from the record', async () => {
		const large = {
			event: 'surprise',
			data: { list: Array.from({ length: 1_000_000 }, () => ({})) },
		};
		const { result } = await read(stream([started, flowText('Hi'), large], 'open'), {
			routes: { [RECORD]: json({ id: RUN, status: 'succeeded', outputs: { answer: 'Hi there' } }) },
		});
		expect(result).toMatchObject({ status: 'succeeded', text: 'Hi there' });
		expect(result!.warnings).toEqual([expect.stringContaining('too large to be read')]);
	});

	test.each([
		['objects', () => ({})],
		['lists', () => []],
		['properties', () => ({ a: 1 })],
	])('in one event, more than can be read, of %s: an error that says so', async (_name, create) => {
		const list = Array.from({ length: 1_100_000 }, create);
		const large = { event: 'workflow_finished', data: { outputs: { note: 'Late', list } } };
		const { error } = await read(stream([started, flowText('Hi'), large], 'open'));
		expect(error).toMatchObject({
			type: 'invalidResponse',
			message: expect.stringContaining('more than 64 MB of memory') as string,
			suggestion: expect.stringContaining('Let the workflow return less') as string,
			serverText: expect.stringContaining('"note":"Late"') as string,
			partialText: 'Hi',
		});
	});

	test('in one event that is too long: an error that says so', async () => {
		const large = { event: 'node_finished', data: { outputs: { note: 'x'.repeat(17 * 2 ** 20) } } };
		const { error } = await read(stream([started, flowText('Hi'), large], 'open'));
		expect(error).toMatchObject({
			type: 'invalidResponse',
			message: expect.stringContaining('larger than 16 MB') as string,
			serverText: expect.stringContaining('"node_finished"') as string,
			partialText: 'Hi',
		});
	});

	test('compressed in a way that is not read, before any event: the error is about the compression', async () => {
		const { error } = await read((_request, response) => {
			response.writeHead(200, { 'content-encoding': 'gzip, gzip, gzip' });
			response.end('x');
		});
		expect(error).toMatchObject({
			message: expect.stringContaining('compressed with gzip, gzip, gzip') as string,
			suggestion: expect.stringContaining('proxy') as string,
		});
	});

	test('in many events of any kind: the same, and a failed run keeps what had arrived', async () => {
		const many = Array.from({ length: 9 }, () => ({ event: 'surprise', data: values }));
		const { error } = await read(stream([started, flowText('Hi'), ...many], 'open'), {
			routes: { [RECORD]: json({ id: RUN, status: 'failed', error: 'broken', outputs: {} }) },
		});
		expect(error).toMatchObject({ type: 'runFailed', partialText: 'Hi' });
	});
});

describe('a run that was stopped elsewhere', () => {
	const stopped = (data: object = {}) => stream([started, finished('stopped', data), flowEnd]);

	test('has the outputs that only its record has', async () => {
		const record = json({ id: RUN, status: 'stopped', outputs: { answer: 'Late' } });
		const { result, deltas, paths } = await read(stopped(), { routes: { [RECORD]: record } });
		expect(result).toMatchObject({
			status: 'stopped',
			text: 'Late',
			workflow: { outputs: { answer: 'Late' } },
		});
		expect(deltas).toEqual(append('Late'));
		expect(paths).toHaveLength(1);
	});

	test('with outputs is complete', async () => {
		const { result, paths } = await read(stopped({ outputs: { note: 'There' } }));
		expect(result).toMatchObject({ workflow: { outputs: { note: 'There' } } });
		expect(paths).toEqual([]);
	});

	test('keeps its text if its record has another one', async () => {
		const record = json({ id: RUN, status: 'stopped', outputs: { answer: 'Late' } });
		const answer = stream([started, flowText('Hi'), finished('stopped'), flowEnd]);
		const { result, deltas } = await read(answer, { routes: { [RECORD]: record } });
		expect(result).toMatchObject({ text: 'Hi', workflow: { outputs: { answer: 'Late' } } });
		expect(deltas).toEqual(append('Hi'));
	});

	test.each([
		{ which: 'a chatbot', said: text('Hi') },
		{ which: 'a flow of whose beginning nothing arrived', said: flowText('Hi') },
	])('has no outputs if it is $which', async ({ said }) => {
		const end = { event: 'error', message: 'Workflow execution aborted: user' };
		const { result, paths } = await read(stream([said, end]));
		expect(result).toMatchObject({ status: 'stopped', text: 'Hi' });
		expect(paths).toEqual([]);
	});

	test('without a record has none', async () => {
		const { result } = await read(stopped());
		expect(result).toMatchObject({ status: 'stopped', text: '' });
	});
});

test('invalid events are counted, and the others are read', async () => {
	const answer: Answer = (_request, response) => {
		openStream(response);
		send(
			response,
			'no JSON',
			'[1]',
			text('Hi'),
			{ event: 'later version' },
			{ note: 'none' },
			messageEnd,
		);
		response.end();
	};
	const { result } = await read(answer);
	expect(result!.text).toBe('Hi');
	expect(result!.warnings).toEqual([expect.stringMatching(/^2 event/)]);
	expect(result!.conversationId).toBe(IDS.conversation_id);
});
