import { listMessages } from '../../../../lib/dify/app/conversations';
import { RUN_ROUTES, startRun } from '../../../../lib/dify/run/run';
import { traceIdOf } from '../../../../lib/dify/ids';
import { appKey, type AppSpec, type Json, startDifySim, storeFile } from '../../../servers/dify';
import type { DifyAppMode } from '../../../../lib/dify/types';
import { waitFor } from '../ask';
import { calls, clientOf, failureOf, say, startApp, startSim, UNKNOWN_ID } from '../client';
import { useSimulator } from '../../../servers/use-simulator';

const startDify = useSimulator(startDifySim);

const NASTY = 'a <b>"&\'</b> 你好 👩‍👩‍👧 \u2028 \\n {{ $json }} \t end ';
const FORM: AppSpec['form'] = [
	{ kind: 'text-input', variable: 'city', required: true },
	{ kind: 'number', variable: 'count' },
	{ kind: 'select', variable: 'unit', options: ['C', 'F'] },
];

describe('a message', () => {
	const chatModes: DifyAppMode[] = ['chat', 'agent-chat', 'agent', 'advanced-chat'];

	test.each(chatModes)('case 13: answer, ids and usage of %s', async (mode) => {
		const sim = await startSim({});
		const { result } = await say(clientOf(sim, mode));
		const run = sim.runs[0]!;
		expect(result).toMatchObject({
			status: 'succeeded',
			text: 'You said: hi',
			conversationId: run.conversationId,
			messageId: run.messageId,
			taskId: run.taskId,
		});
		// The New Agent of 1.14 counts nothing: a zero is no number.
		const counted = {
			total_tokens: expect.any(Number) as number,
			total_price: expect.any(String) as string,
		};

		expect(result.usage).toMatchObject(counted);
		expect(result.workflowRunId).toBe(mode === 'advanced-chat' ? run.workflowRunId : undefined);
	});

	test.each(chatModes)('case 14: %s is always asked for a stream', async (mode) => {
		const sim = await startSim({});
		await say(clientOf(sim, mode));
		expect(sim.requests[0]!.json).toMatchObject({ response_mode: 'streaming' });
		expect(sim.runs[0]!.responseMode).toBe('streaming');
	});

	test('case 16: inputs are always there, also when there are none', async () => {
		const sim = await startSim({});
		await say(clientOf(sim));
		expect((sim.requests[0]!.json as Json).inputs).toEqual({});
		const refused = await failureOf(
			startRun(clientOf(sim), RUN_ROUTES.chat, { query: 'hi' }, 'u1'),
		);
		expect(refused).toMatchObject({ status: 400, kind: 'invalidParam' });
		expect(refused.serverText).toMatch(/inputs: Field required/);
		expect(
			await failureOf(
				startRun(clientOf(sim), RUN_ROUTES.chat, { query: 'hi', inputs: null }, 'u1'),
			),
		).toMatchObject({ status: 400, kind: 'invalidParam' });
	});

	test('case 17: an empty query is refused before it is sent', async () => {
		const sim = await startSim({});
		expect(await failureOf(say(clientOf(sim), { query: '' }))).toMatchObject({
			kind: 'emptyQuery',
		});
		expect(sim.requests).toHaveLength(0);
	});

	test('case 18: the query arrives with every character, blanks alone are one', async () => {
		const sim = await startSim({});
		expect((await say(clientOf(sim), { query: NASTY })).result.text).toBe(`You said: ${NASTY}`);
		await say(clientOf(sim), { query: '  ' });
		expect(sim.runs.map(({ query }) => query)).toEqual([NASTY, '  ']);
	});

	test.each(['chat', 'advanced-chat'] as const)(
		'case 19: a variable that is missing on the second turn is told by its name by %s',
		async (mode) => {
			const sim = await startApp({ mode, form: FORM });
			const client = clientOf(sim, mode);
			const { result } = await say(client, { inputs: { city: 'Rome' } });
			const failed = await failureOf(
				say(client, { conversation: { kind: 'id', id: result.conversationId! } }),
			);
			// Workers of newer versions report it in the stream, with a status of their own (docs/protocols/dify.md 3.7).
			// 1.16 tells of a run that does not exist, without a status (docs/protocols/dify.md 12.3).
			const inStream = 200;
			expect(failed).toMatchObject({
				status: mode === 'chat' ? 400 : inStream,
				kind: 'inputs',
			});
			expect(failed.serverText).toContain('city is required in input form');
			expect(failed.remedy).toContain('every turn');
		},
	);

	test('case 20: inputs are sent on every turn, with their types', async () => {
		const sim = await startApp({ mode: 'chat', form: FORM });
		const inputs = { city: 'Rome', count: 3, unit: 'C' };
		const first = await say(clientOf(sim), { inputs });
		await say(clientOf(sim), {
			inputs,
			conversation: { kind: 'id', id: first.result.conversationId! },
		});
		expect(sim.runs.map((run) => run.inputs)).toEqual([inputs, inputs]);
		expect((await failureOf(say(clientOf(sim), { inputs: { city: 7 } }))).serverText).toContain(
			'must be a string',
		);
		expect(
			await failureOf(say(clientOf(sim), { inputs: { city: 'Rome', unit: 'K' } })),
		).toMatchObject({
			kind: 'inputs',
		});
		expect(
			await failureOf(say(clientOf(sim), { inputs: { city: 'Rome', count: [1] } })),
		).toMatchObject({
			status: 500,
			kind: 'serverError',
		});
	});

	test('case 21: a malformed conversation id is advice; blanks are a new conversation', async () => {
		const sim = await startSim({});
		const failed = await failureOf(say(clientOf(sim), { conversation: { kind: 'id', id: 'abc' } }));
		expect(failed).toMatchObject({ status: 400, kind: 'invalidId' });
		expect(failed.serverText).toContain('valid UUID');
		for (const id of ['', ' '])
			expect(
				(await say(clientOf(sim), { conversation: { kind: 'id', id } })).conversationRestarted,
			).toBe(false);
		expect(new Set(sim.runs.map(({ conversationId }) => conversationId)).size).toBe(2);
	});

	test.each(chatModes)(
		'case 22: the conversation of another user, of another app, of the web app, a deleted one, or none, is told as such by %s',
		async (mode) => {
			const sim = await startSim({});
			const client = clientOf(sim, mode);
			const { result } = await say(client, { user: 'u2' });
			const web = sim.store.addConversation(sim.app(mode), 'u1', { source: 'webapp' });
			const foreign = await say(clientOf(sim, mode === 'chat' ? 'agent-chat' : 'chat'));
			const gone = await say(client);
			sim.app(mode).conversations.delete(gone.result.conversationId!);
			for (const id of [
				result.conversationId!,
				foreign.result.conversationId!,
				gone.result.conversationId!,
				UNKNOWN_ID,
				web.id,
			]) {
				const failed = await failureOf(say(client, { conversation: { kind: 'id', id } }));
				// A chatflow of 1.14 begins a new conversation, which is told by its ID.
				const silent = false;
				const refused = {
					kind: 'conversationNotFound',
					...(silent ? {} : { status: 404, code: 'not_found' }),
				};
				expect(failed).toMatchObject(refused);
				expect(silent ? failed.meaning : failed.message).toMatch(
					silent
						? /^Dify did not continue the conversation/
						: /^Dify does not find the conversation/,
				);
				expect(failed.message).not.toContain('did you mean');
				expect(failed.remedy).toContain('same user');
			}
		},
	);

	test.each(chatModes)(
		'case 22: on request a conversation that is gone is started anew with %s, and told',
		async (mode) => {
			const sim = await startSim({});
			const answer = await say(
				clientOf(sim, mode),
				{ conversation: { kind: 'id', id: UNKNOWN_ID } },
				{ onStaleConversation: 'startNew' },
			);
			expect(answer).toMatchObject({
				conversationRestarted: true,
				result: { status: 'succeeded', text: 'You said: hi' },
			});
			expect(answer.result.conversationId).not.toBe(UNKNOWN_ID);
			expect(sim.runs).toHaveLength(1);
		},
	);

	test('a conversation that has ended can be started anew as well', async () => {
		const sim = await startSim({});
		const ended = sim.store.addConversation(sim.app('chat'), 'u1', { status: 'completed' });
		const conversation = { kind: 'id' as const, id: ended.id };
		expect(await failureOf(say(clientOf(sim), { conversation }))).toMatchObject({
			kind: 'conversationEnded',
		});
		expect(
			await say(clientOf(sim), { conversation }, { onStaleConversation: 'startNew' }),
		).toMatchObject({
			conversationRestarted: true,
		});
	});

	test('only a stale conversation is started anew, no other failure', async () => {
		const sim = await startApp({
			mode: 'advanced-chat',
			reply: () => ({ steps: [{ text: 'par' }], fail: 'boom' }),
		});
		const own = sim.store.addConversation(sim.app('advanced-chat'), 'u1');
		const failed = await failureOf(
			say(
				clientOf(sim, 'advanced-chat'),
				{ conversation: { kind: 'id', id: own.id } },
				{ onStaleConversation: 'startNew' },
			),
		);
		expect(failed.kind).not.toBe('conversationNotFound');
		expect(sim.runs).toHaveLength(1);
	});

	test('a run that has begun is not begun anew, whatever its failure says and whatever became of its conversation', async () => {
		for (const error of [
			{ code: 'completion_request_error', status: 400, message: 'no' },
			{ status: 500, message: 'Conversation Not Exists.' },
			{ status: 404, code: 'not_found', message: 'Conversation Not Exists.' },
		]) {
			const sim = await startApp({
				mode: 'chat',
				reply: () => ({ steps: [{ text: 'half' }, { wait: 20 }, { error }] }),
			});
			const own = sim.store.addConversation(sim.app('chat'), 'u1');
			const running = failureOf(
				say(
					clientOf(sim),
					{ conversation: { kind: 'id', id: own.id } },
					{ onStaleConversation: 'startNew' },
				),
			);
			await waitFor(() => sim.runs.length === 1);
			sim.app('chat').conversations.delete(own.id);
			expect(await running).toMatchObject({
				serverText: expect.stringContaining(error.message) as string,
				partialText: 'half',
			});
			expect(sim.runs).toHaveLength(1);
		}
	});

	test('the latest conversation of the user is looked up in Dify; without one a new one is started', async () => {
		const sim = await startSim({});
		const client = clientOf(sim);
		const conversation = { kind: 'latest' as const };
		const first = await say(client, { conversation });
		const second = await say(client, { conversation });
		const other = await say(client, { conversation, user: 'u2' });
		expect(second.result.conversationId).toBe(first.result.conversationId);
		expect(other.result.conversationId).not.toBe(first.result.conversationId);
		expect(await listMessages(client, 'u1', first.result.conversationId!, 'all')).toHaveLength(2);
		expect(calls(sim, '/conversations', 'GET')).toBe(3);
	});

	test('case 27: files go out with their transfer method, so Dify sees them', async () => {
		const sim = await startSim({});
		await say(clientOf(sim), {
			files: [{ type: 'image', transfer_method: 'remote_url', url: 'https://example.com/a.png' }],
		});
		expect(sim.runs[0]!.files).toMatchObject([
			{ type: 'image', transfer_method: 'remote_url', remote_url: 'https://example.com/a.png' },
		]);
		await say(clientOf(sim), { files: [] });
		expect(sim.requests.at(-1)!.json).not.toHaveProperty('files');
		// What would happen otherwise: the answer comes, and the file was never seen.
		const file = { type: 'image', url: 'https://example.com/a.png' };
		expect(
			(
				await startRun(
					clientOf(sim),
					RUN_ROUTES.chat,
					{ query: 'hi', inputs: {}, files: [file] },
					'u1',
				)
			).status,
		).toBe('succeeded');
		expect(sim.runs.at(-1)!.files).toEqual([]);
	});

	test('case 28: an unknown file', async () => {
		const sim = await startSim({});
		const files = [
			{ type: 'image', transfer_method: 'local_file', upload_file_id: UNKNOWN_ID } as const,
		];
		const failed = await failureOf(say(clientOf(sim), { files }));
		expect(failed).toMatchObject({ status: 400, kind: 'fileRejected' });
		expect(failed.remedy).toContain('same user');
	});

	test('case 30: versions of a chatflow', async () => {
		const sim = await startApp({ mode: 'advanced-chat', versions: [UNKNOWN_ID] });
		const client = clientOf(sim, 'advanced-chat');
		expect((await say(client, { workflowId: UNKNOWN_ID })).result.status).toBe('succeeded');
		expect(sim.runs[0]!.workflowId).toBe(UNKNOWN_ID);
		expect(await failureOf(say(client, { workflowId: 'x' }))).toMatchObject({
			status: 400,
			kind: 'workflowVersion',
		});
		expect(
			await failureOf(say(client, { workflowId: 'aaaaaaaa-2222-4333-8444-555555555555' })),
		).toMatchObject({
			status: 404,
			kind: 'workflowVersion',
		});
		const sandbox = await startApp({ mode: 'advanced-chat', sandboxPlan: true });
		expect(
			await failureOf(say(clientOf(sandbox, 'advanced-chat'), { workflowId: UNKNOWN_ID })),
		).toMatchObject({
			status: 403,
			kind: 'planLimit',
		});
	});

	test('name, trace and version are sent only where they were given', async () => {
		const sim = await startSim({});
		await say(clientOf(sim));
		expect(Object.keys(sim.requests[0]!.json as Json).sort()).toEqual([
			'inputs',
			'query',
			'response_mode',
			'user',
		]);
		await say(clientOf(sim), { autoGenerateName: false, traceId: 'trace-1' });
		expect(sim.requests[1]!.json).toMatchObject({ auto_generate_name: false, trace_id: 'trace-1' });
		expect(traceIdOf(' abc_1-2 ')).toBe('abc_1-2');
		expect(traceIdOf('')).toBeUndefined();
		expect(() => traceIdOf('with blank')).toThrow('trace ID');
	});
});

test('a file of one user is of use to that user only', async () => {
	const sim = await startDify({});
	const app = sim.app('chat');
	const part = {
		name: 'file',
		filename: 'a.png',
		mimeType: 'image/png',
		size: 1,
		sha256: '',
		content: new Uint8Array(1),
	};
	const { id } = storeFile(sim.store, sim.store.endUser(app, 'u2'), part);
	const outcome = say(clientOf(sim), {
		files: [{ type: 'image', transfer_method: 'local_file', upload_file_id: id }],
	});

	expect(await failureOf(outcome)).toMatchObject({ kind: 'fileRejected' });
	expect(appKey('chat')).toMatch(/^app-\w{24}$/);
});
