/** How long the reading of a run waits: for events, for its end, and after Stop. By a clock of the test. */
import type * as http from 'node:http';
import { readRun } from '../../../../lib/dify/run/run-reader';
import type { RunReaderOptions } from '../../../../lib/dify/run/run-reader';
import type { HumanForm, RunResult } from '../../../../lib/dify/types';
import { asServerErrorOrThrow, ServerError } from '../../../../lib/errors/server-error';
import { useClock } from '../../../guarantees/support/fake-clock';
import { send } from '../../../guarantees/support/responses';
import { json, until } from '../../../support/servers/scripted-server';
import type { Answer } from '../../../support/servers/scripted-server';
import { events, RUN, stream, TASK, useDify } from './scripted-dify';

const readings: Array<{ controller: AbortController; over: Promise<unknown> }> = [];
/** Before the clock is real again. */
afterEach(async () => {
	for (const { controller, over } of readings.splice(0)) {
		controller.abort();
		await clock.passUntil(over);
	}
});
const clock = useClock();
const start = useDify();
const { started, flowText, finished, flowEnd, text } = events;
const RECORD = `/v1/workflows/run/${RUN}`;
const SECOND = 1_000;

interface Setup extends RunReaderOptions {
	/** Events at the beginning; the stream then stays open. */
	list: object[];
	record?: Answer;
	signal?: AbortSignal;
}

const getEnd = (outcome: RunResult | ServerError) =>
	outcome instanceof ServerError ? outcome.type : outcome.status;

/** Begins to read the run of a stream that stays open, once its first events have arrived. */
async function begin({ list, record = json({}, 404), ...options }: Setup) {
	const controller = new AbortController();
	let response: http.ServerResponse | undefined;
	const { server, client } = await start(
		{
			'GET /v1/run': stream(list, 'open', (opened) => (response = opened)),
			[`GET ${RECORD}`]: record,
		},
		controller.signal,
	);
	let outcome: RunResult | ServerError | undefined;
	const request = { url: client.buildUrl('/run'), method: 'GET' } as const;
	const over = readRun(client, request, options).then(
		(result) => (outcome = result),
		(error: unknown) => (outcome = asServerErrorOrThrow(error)),
	);
	readings.push({ controller, over });
	await until(() => response !== undefined);
	await clock.pass(0);
	return {
		abort: () => controller.abort(),
		send: (...more: object[]) => send(response!, ...(more as Array<Record<string, unknown>>)),
		/** What the reading has come to after so many more seconds: "reading", a status, or the type of an error. */
		after: async (seconds: number) => {
			for (let passed = 0; passed < seconds && outcome === undefined; passed++)
				await clock.pass(Math.min(SECOND, (seconds - passed) * SECOND));
			return outcome === undefined ? 'reading' : getEnd(outcome);
		},
		/** What it has come to without any passing of time. */
		end: async () => {
			await until(() => outcome !== undefined);
			return getEnd(outcome!);
		},
		outcome: () => outcome,
		records: () => server.requests.filter(({ path }) => path === RECORD).length,
		paths: () => server.requests.map(({ path }) => path),
	};
}

describe('a run that is followed and silent', () => {
	const FORM = { form_id: 'f', node_id: 'n', form_token: null };
	const asked = { event: 'human_input_required', workflow_run_id: RUN, data: FORM };
	const record = (status: string) =>
		json({ id: RUN, status, outputs: { answer: 'Hello' }, finished_at: 9 });

	test('ends with what its record says, and a warning', async () => {
		const list = [started, flowText('Hel')];
		const run = await begin({ list, record: record('succeeded'), followedRunId: RUN });
		expect(await run.after(49)).toBe('reading');
		expect(await run.after(5)).toBe('succeeded');
		expect(run.outcome()).toMatchObject({
			text: 'Hello',
			warnings: [expect.stringContaining('sent only pings although the run had ended')],
		});
		expect(run.paths()).toEqual(['/v1/run', RECORD]);
	});

	test.each([
		{ how: 'stopped, with one look-up', status: 'stopped', list: [started] },
		{ how: 'paused', status: 'paused', list: [started] },
		{ how: 'paused before its first event', status: 'paused', list: [] },
		{ how: 'paused with a form that is open', status: 'paused', list: [asked], isOpen: true },
		{
			how: 'paused again without a form',
			status: 'paused',
			list: [started],
			continueAfterPause: true,
			isOpen: true,
		},
		{
			how: 'paused with a form that was submitted',
			status: 'paused',
			list: [asked],
			continueAfterPause: true,
			isOpen: false,
		},
		{
			how: 'paused with a form that nobody can look up',
			status: 'paused',
			list: [asked],
			continueAfterPause: true,
		},
		{
			how: 'at its end with a form that is open',
			status: 'succeeded',
			list: [asked],
			continueAfterPause: true,
			isOpen: true,
		},
	])('ends within a minute if its record is $how', async (row) => {
		const { status, list, continueAfterPause, isOpen } = row;
		const areFormsOpen =
			isOpen === undefined ? undefined : async () => await Promise.resolve(isOpen);
		const options = { followedRunId: RUN, continueAfterPause, areFormsOpen };
		const run = await begin({ list, record: record(status), ...options });
		expect(await run.after(55)).toBe(status);
		expect(run.records()).toBe(1);
	});

	test('waits for a form that is open, which is asked for by its ID', async () => {
		const forms: unknown[] = [];
		const areFormsOpen = async (list: readonly HumanForm[]) =>
			await Promise.resolve(forms.push(list.map(({ formId }) => formId)) > 0);
		const options = { followedRunId: RUN, continueAfterPause: true, areFormsOpen };
		const run = await begin({ list: [asked], record: record('paused'), ...options });
		expect(await run.after(120)).toBe('reading');
		expect(forms).toEqual([['f'], ['f']]);
	});

	test('is looked up once a minute while its record continues', async () => {
		const run = await begin({ list: [started], record: record('running'), followedRunId: RUN });
		expect(await run.after(240)).toBe('reading');
		expect(run.records()).toBe(4);
	});

	test('is not looked up while events arrive, or after its end', async () => {
		const run = await begin({ list: [started], record: record('running'), followedRunId: RUN });
		expect(await run.after(40)).toBe('reading');
		run.send(flowText('Hi'));
		expect(await run.after(40)).toBe('reading');
		run.send(finished(), flowEnd);
		expect(await run.end()).toBe('succeeded');
		await clock.pass(120 * SECOND);
		expect(run.records()).toBe(0);
	});
});

describe('the end of a stream that stays open', () => {
	test('is the last event of its run', async () => {
		const run = await begin({ list: [started, flowText('Hi'), finished(), flowEnd] });
		expect(await run.end()).toBe('succeeded');
	});

	test.each([
		{ what: 'a message that is complete', list: [started, flowText('Hi'), flowEnd] },
		{ what: 'a status without the complete message', list: [started, flowText('Hi'), finished()] },
	])('is not waited for longer than some seconds after $what', async ({ list }) => {
		const run = await begin({ list, record: json({ id: RUN, status: 'succeeded' }) });
		expect(await run.after(2)).toBe('reading');
		expect(await run.after(8)).toBe('succeeded');
	});

	test('is waited for while the run may continue, up to its idle timeout', async () => {
		const timeouts = { idleMs: 60 * SECOND };
		const run = await begin({ list: [started], timeouts });
		for (let texts = 0; texts < 3; texts++) {
			expect(await run.after(50)).toBe('reading');
			run.send(flowText('Hi'));
		}
		expect(await run.after(50)).toBe('reading');
		expect(await run.after(15)).toBe('runTimeout');
		expect(run.outcome()).toMatchObject({
			suggestion:
				'Raise the timeout in the options. The run has started: check the logs of the app in Dify before you send the request again.',
			partialText: 'HiHiHi',
			facts: { stopRequested: undefined },
		});
	});
});

describe('the reading after Stop', () => {
	const accepted = async () => await Promise.resolve(true);
	const rejected = async () => await Promise.resolve(false);

	test('ends three seconds after Dify accepted to stop the run', async () => {
		const run = await begin({ list: [text('Hi')], stop: accepted });
		run.abort();
		expect(await run.after(2)).toBe('reading');
		expect(await run.after(1.5)).toBe('aborted');
		expect(run.outcome()).toMatchObject({
			partialText: 'Hi',
			facts: { stopRequested: true, taskId: TASK },
		});
	});

	test.each([
		{ what: 'Dify does not stop the run', stop: rejected, stopRequested: false },
		{ what: 'the run was started elsewhere', stop: undefined, stopRequested: undefined },
	])('ends immediately if $what', async ({ stop, stopRequested }) => {
		const run = await begin({ list: [text('Hi')], stop });
		run.abort();
		expect(await run.end()).toBe('aborted');
		expect(run.outcome()).toMatchObject({ partialText: 'Hi', facts: { stopRequested } });
	});

	test('ends five seconds later if the ID of the run does not arrive', async () => {
		const stop = jest.fn(accepted);
		const run = await begin({ list: [], stop });
		run.abort();
		expect(await run.after(4)).toBe('reading');
		expect(await run.after(1.5)).toBe('aborted');
		expect(stop).not.toHaveBeenCalled();
	});

	test('ends three seconds after the ID of the run has arrived', async () => {
		const stop = jest.fn(accepted);
		const run = await begin({ list: [], stop });
		run.abort();
		expect(await run.after(4)).toBe('reading');
		run.send(text('Hi'));
		expect(await run.after(2)).toBe('reading');
		expect(await run.after(1.5)).toBe('aborted');
		expect(stop.mock.calls).toEqual([[TASK]]);
	});
});
