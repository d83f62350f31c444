/** A run that is followed: what is asked for, pauses that are passed over, forms of a result, and its text. */
import { createDifyClient } from '../../../../lib/dify/credentials';
import { followRun } from '../../../../lib/dify/run/follow-run';
import type { FollowRequest } from '../../../../lib/dify/run/follow-run';
import type { TextDelta } from '../../../../lib/dify/types';
import { asServerErrorOrThrow, ServerError } from '../../../../lib/errors/server-error';
import {
	ENDED,
	EXPIRED,
	RUN_ID,
	SECOND_FORM,
	STARTED,
	startDify,
	SUBMITTED,
	toEvent,
	toNode,
	toPause,
	toReplay,
} from '../../../nodes/DifyWorkflow/form-events';

jest.mock('../../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../../support/waiting/mock-sleep'),
);

type FormScript = Parameters<typeof startDify>[0];

/** Follows the run of a script. */
async function follow(
	script: FormScript,
	request: Partial<FollowRequest> = {},
	signal?: AbortSignal,
) {
	const server = await startDify(script);
	const client = createDifyClient({ baseUrl: `${server.url}/v1` }).withSignal(signal);
	const outcome = await followRun(client, { runId: RUN_ID, user: 'u', ...request }).catch(
		asServerErrorOrThrow,
	);
	const attachments = server.requests.filter(({ path }) => path.includes('/events'));
	return { outcome, attachments, server };
}

/** The result; an error fails the test. */
async function followToResult(script: FormScript, request: Partial<FollowRequest> = {}) {
	const { outcome, ...more } = await follow(script, request);
	if (outcome instanceof ServerError) throw outcome;
	const { pause, warnings } = outcome;
	const tokens = pause?.forms.map(({ formToken }) => formToken);
	return { result: outcome, tokens, warnings, ...more };
}

const chunk = (text: string) => toEvent('text_chunk', { text });

test.each([
	{ continueAfterPause: undefined, query: undefined },
	{ continueAfterPause: false, query: undefined },
	{ continueAfterPause: true, query: 'true' },
])(
	'the events are asked for with $continueAfterPause as $query',
	async ({ continueAfterPause, query }) => {
		const { attachments } = await followToResult(
			{ attachments: [[STARTED, ...ENDED]] },
			{ continueAfterPause },
		);
		const [url] = attachments.map(({ path }) => new URL(path, 'http://dify'));
		expect(url?.pathname).toBe(`/v1/workflow/${RUN_ID}/events`);
		expect(Object.fromEntries(url!.searchParams)).toEqual({
			user: 'u',
			include_state_snapshot: 'true',
			...(query && { continue_on_pause: query }),
		});
	},
);

describe('a pause', () => {
	test('whose form was submitted is passed over', async () => {
		const { result, attachments } = await followToResult({
			attachments: [toReplay('ask'), toReplay('ask'), [STARTED, ...ENDED]],
			forms: { 'token-ask': SUBMITTED },
		});
		expect(result.workflow?.status).toBe('succeeded');
		expect(attachments).toHaveLength(3);
	});

	test('of the form that was just submitted is passed over, whatever Dify says of the form', async () => {
		const { result, attachments } = await followToResult(
			{ attachments: [toReplay('ask'), [STARTED, ...ENDED]] },
			{ submittedToken: 'token-ask' },
		);
		expect([result.workflow?.status, attachments.length]).toEqual(['succeeded', 2]);
	});

	test.each<{
		name: string;
		script: FormScript;
		tokens: string[];
		expired: boolean[];
		warning: RegExp[];
	}>([
		{
			name: 'an open form',
			script: { attachments: [toReplay('ask')] },
			tokens: ['token-ask'],
			expired: [false],
			warning: [],
		},
		{
			name: 'the open one of two forms',
			script: { attachments: [toReplay('ask', 'ask2')], forms: { 'token-ask': SUBMITTED } },
			tokens: ['token-ask2'],
			expired: [false],
			warning: [],
		},
		{
			name: 'an expired form beside an open one',
			script: { attachments: [toReplay('ask', 'ask2')], forms: { 'token-ask': EXPIRED } },
			tokens: ['token-ask', 'token-ask2'],
			expired: [true, false],
			warning: [/"ask" expired/],
		},
		{
			name: 'a form that cannot be read',
			script: {
				attachments: [toReplay('ask')],
				forms: { 'token-ask': { status: 500, body: { message: 'down' } } },
			},
			tokens: ['token-ask'],
			expired: [false],
			warning: [],
		},
	])('is returned with $name', async ({ script, tokens, expired, warning }) => {
		const followed = await followToResult(script);
		expect(followed.tokens).toEqual(tokens);
		expect(followed.result.pause?.forms.map(({ isExpired = false }) => isExpired)).toEqual(expired);
		expect(followed.warnings).toEqual(warning.map((text) => expect.stringMatching(text)));
		expect(followed.attachments).toHaveLength(1);
	});

	test('that only the record shows is read once more, for its forms', async () => {
		const record = { id: RUN_ID, status: 'paused', outputs: {} };
		const withForms = await followToResult({ attachments: [[STARTED], toReplay('ask')], record });
		expect([withForms.tokens, withForms.attachments.length]).toEqual([['token-ask'], 2]);
		const without = await followToResult({ attachments: [[STARTED]], record });
		expect([without.tokens, without.attachments.length]).toEqual([[], 2]);
	});
});

describe('a submitted form of another run', () => {
	const OTHER = /belongs to another run/;
	test.each([
		{ name: 'is named', attachments: [toReplay('ask2')], token: 'token-ask', warnings: [OTHER] },
		{
			name: 'is not assumed without a form',
			attachments: [toReplay('ask2')],
			token: undefined,
			warnings: [],
		},
		{
			name: 'is not assumed if the run waits for this one as well',
			attachments: [toReplay('ask', 'ask2')],
			token: 'token-ask',
			warnings: [],
		},
		{
			name: 'is not assumed if a form of this run was answered',
			attachments: [SECOND_FORM],
			token: 'token-ask',
			warnings: [],
		},
		{
			name: 'is named if only another node was done',
			attachments: [
				[
					STARTED,
					toEvent('node_finished', {
						id: 'x',
						node_id: 'x',
						node_type: 'llm',
						status: 'succeeded',
					}),
					...toPause('ask2'),
				],
			],
			token: 'token-ask',
			warnings: [OTHER],
		},
		{
			name: 'is named if the form of this run failed',
			attachments: [[STARTED, toNode('other', 'failed'), ...toPause('ask2')]],
			token: 'token-ask',
			warnings: [OTHER],
		},
	])('$name', async ({ attachments, token, warnings }) => {
		const followed = await followToResult({ attachments }, { submittedToken: token });
		expect(followed.warnings).toEqual(warnings.map((text) => expect.stringMatching(text)));
	});
});

describe('with the wait for the end', () => {
	test('the run is read on, past a pause that has no forms', async () => {
		const pause = toEvent('workflow_paused', { paused_nodes: [], reasons: [], outputs: {} });
		const { result, attachments } = await followToResult(
			{
				attachments: [
					[STARTED, pause],
					[STARTED, ...ENDED],
				],
			},
			{ continueAfterPause: true },
		);
		expect(result.workflow?.status).toBe('succeeded');
		expect(attachments.length).toBeGreaterThan(0);
	});

	test.each([
		{ totalMs: 3_000, type: 'runTimeout' },
		{ totalMs: 0, type: undefined },
	])('and $totalMs ms in all: $type', async ({ totalMs, type }) => {
		const replays = Array.from({ length: 20 }, () => toReplay('ask'));
		const { outcome } = await follow(
			{ attachments: [...replays, [STARTED, ...ENDED]], forms: { 'token-ask': SUBMITTED } },
			{ timeouts: { totalMs } },
		);
		expect(outcome instanceof ServerError ? outcome.type : undefined).toBe(type);
	});
});

describe('the text', () => {
	const end = toEvent('workflow_finished', { status: 'succeeded', outputs: { text: 'Hello' } });

	test('is displayed once, at the end, without what was read before', async () => {
		const shown: TextDelta[][] = [];
		const { result } = await followToResult(
			{
				attachments: [
					[STARTED, chunk('Hel'), ...toPause('ask')],
					[STARTED, chunk('Hel'), chunk('lo'), end],
				],
				forms: { 'token-ask': SUBMITTED },
			},
			{ onDeltas: async (deltas) => void shown.push([...deltas]) },
		);
		expect(result.text).toBe('Hello');
		expect(shown).toEqual([[{ type: 'append', text: 'Hello' }]]);
	});

	test('that is empty is not displayed', async () => {
		const shown: unknown[] = [];
		await followToResult(
			{
				attachments: [
					[STARTED, toEvent('workflow_finished', { status: 'succeeded', outputs: {} })],
				],
			},
			{ onDeltas: async (deltas) => void shown.push(deltas) },
		);
		expect(shown).toEqual([]);
	});

	test.each([
		{ name: 'fails', onDeltas: async () => await Promise.reject(new Error('gone')) },
		{
			name: 'throws',
			onDeltas: () => {
				throw new Error('gone');
			},
		},
		{ name: 'is not there', onDeltas: undefined },
	])('is in the result if its display $name', async ({ onDeltas }) => {
		const { result } = await followToResult(
			{ attachments: [[STARTED, chunk('Hello'), end]] },
			{ onDeltas },
		);
		expect(result.text).toBe('Hello');
	});

	test('is in the result if its display hangs and the execution is stopped', async () => {
		const stop = new AbortController();
		const { outcome } = await follow(
			{ attachments: [[STARTED, chunk('Hello'), end]] },
			{
				onDeltas: async () => {
					stop.abort();
					await new Promise(() => {});
				},
			},
			stop.signal,
		);
		expect(outcome).toMatchObject({ text: 'Hello' });
	});
});

test('a stopped execution ends the wait for a form, and is the error', async () => {
	const stop = new AbortController();
	const server = await startDify({
		attachments: [toReplay('ask')],
		forms: { 'token-ask': SUBMITTED },
	});
	const client = createDifyClient({ baseUrl: `${server.url}/v1` }).withSignal(stop.signal);
	const sleep = client.sleep.bind(client);
	client.sleep = async (ms) => {
		stop.abort();
		await sleep(ms);
	};
	await expect(followRun(client, { runId: RUN_ID, user: 'u' })).rejects.toMatchObject({
		type: 'aborted',
	});
});
