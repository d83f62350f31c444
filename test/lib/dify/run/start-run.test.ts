/** What is sent to start a run of each app, how often, and what of a run that has ended is added. */
import { sendCompletionMessage } from '../../../../lib/dify/run/send-completion-message';
import { runWorkflow, stopWorkflow } from '../../../../lib/dify/run/run-workflow';
import { sendChatMessage } from '../../../../lib/dify/run/send-chat-message';
import { withTextInput } from '../../../../lib/dify/text-input';
import type { ChatMessageRequest } from '../../../../lib/dify/run/send-chat-message';
import { ServerError } from '../../../../lib/errors/server-error';
import { json } from '../../../support/servers/scripted-server';
import type { Answer } from '../../../support/servers/scripted-server';
import { getError } from '../../../support/jest/get-error';
import { useTraces } from '../../../support/n8n/traces';
import { createDifyClient } from '../../../../lib/dify/credentials';
import type { TextDelta } from '../../../../lib/dify/types';
import { events, IDS, RUN, stream, TASK, useDify } from './scripted-dify';

jest.mock('../../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../../support/waiting/mock-sleep'),
);

const start = useDify();
const CHAT = 'POST /v1/chat-messages';
const CHATTED = stream([events.text('Hi'), events.messageEnd]);
const rejection = (status: number, code: string, message = 'x') =>
	json({ code, message, status }, status);
const BUSY = rejection(429, 'too_many_requests', 'Too many requests. Please try again later.');
const MISSING = rejection(404, 'not_found', 'Conversation Not Exists.');

async function chat(
	answers: Answer | Answer[],
	request: Partial<ChatMessageRequest> = {},
	routes = {},
) {
	const { server, client } = await start({ [CHAT]: answers, ...routes });
	const message = { inputs: {}, user: 'u', query: 'Hello', conversation: { type: 'new' } } as const;
	const sending = sendChatMessage(client, { ...message, ...request });
	const outcome = await sending.catch((error: ServerError) => error);
	return { outcome, sent: server.sent('/chat-messages'), requests: server.requests };
}

describe('the request of a run', () => {
	test('of a message', async () => {
		const files = [{ type: 'image', transfer_method: 'local_file', upload_file_id: 'f' } as const];
		const { sent } = await chat(CHATTED, {
			inputs: { a: 1 },
			files,
			traceId: 'trace',
			workflowId: 'w',
			autoGenerateName: false,
		});
		expect(sent).toEqual([
			{
				inputs: { a: 1 },
				user: 'u',
				response_mode: 'streaming',
				query: 'Hello',
				auto_generate_name: false,
				workflow_id: 'w',
				files,
				trace_id: 'trace',
			},
		]);
		const bare = await chat(CHATTED);
		expect(Object.keys(bare.sent[0]!)).toEqual(['inputs', 'user', 'response_mode', 'query']);
	});

	test.each([
		[undefined, '/v1/workflows/run'],
		['a b', '/v1/workflows/a%20b/run'],
	])('of the version %s of a workflow', async (workflowId, path) => {
		const { server, client } = await start({
			[`POST ${path}`]: stream([
				events.started,
				events.finished('succeeded', { outputs: { a: 1 } }),
			]),
		});
		const request = { inputs: {}, user: 'u', workflowId };
		const running = runWorkflow(client, request).catch((error: ServerError) => error);
		if (workflowId === 'a b')
			expect(await running).toMatchObject({
				type: 'invalidId',
				message: 'The workflow ID is not valid: "a b"',
			});
		else {
			expect(await running).toMatchObject({ status: 'succeeded', workflow: { outputs: { a: 1 } } });
			expect(server.requests.map(({ path: sentPath }) => sentPath)).toEqual([path]);
		}
	});

	const files = [{ type: 'image', transfer_method: 'local_file', upload_file_id: 'f' }];

	test.each([
		{ query: '' },
		{ query: '', files },
		{ query: ' ' },
		{ query: ' \n', files: [], inputs: {} },
	])('without a query is not sent: %j', async (request) => {
		const { outcome, sent } = await chat(CHATTED, request);
		expect(outcome).toMatchObject({ type: 'emptyQuery', field: 'query', inputProblem: 'empty' });
		expect(sent).toEqual([]);
	});

	test.each([{ files }, { inputs: { topic: 'llamas' } }])(
		'a blank query is sent beside what the message is about: %j',
		async (request) => {
			const { sent } = await chat(CHATTED, { query: ' ', ...request });
			expect(sent).toMatchObject([{ query: ' ', ...request }]);
		},
	);
});

describe('a run that Dify rejects', () => {
	test('because it is busy is sent again for two minutes, and not at all without retries', async () => {
		const startedAt = performance.now();
		const { outcome, sent } = await chat(BUSY, { retries: 1 });
		expect(outcome).toMatchObject({ type: 'busy' });
		expect(sent.length).toBeGreaterThan(10);
		expect(performance.now() - startedAt).toBeLessThan(125_000);
		expect((await chat(BUSY)).sent).toHaveLength(1);
	});

	test.each([
		{ idleMs: 20_000, totalMs: 0 },
		{ idleMs: 0, totalMs: 20_000 },
	])('because it is busy is not sent again after its own limit: %j', async (timeouts) => {
		const startedAt = performance.now();
		const { outcome } = await chat(BUSY, { retries: 1, timeouts });
		expect(outcome).toMatchObject({ type: 'busy' });
		expect(performance.now() - startedAt).toBeLessThan(25_000);
	});

	test('is a result if the next one is accepted', async () => {
		const { outcome, sent } = await chat([BUSY, CHATTED], { retries: 5 });
		expect(outcome).toMatchObject({ result: { text: 'Hi' }, conversationRestarted: false });
		expect(sent).toHaveLength(2);
	});

	test.each([
		rejection(400, 'invalid_param'),
		rejection(401, 'unauthorized'),
		rejection(429, 'rate_limit_error'),
		rejection(429, 'agent_run_limit_exceeded'),
		rejection(500, 'internal_server_error'),
		json('<html></html>', 502),
		json('<html></html>', 503),
	])('for another reason is sent once', async (answer) => {
		expect((await chat(answer, { retries: 5 })).sent).toHaveLength(1);
	});

	test('is not sent again if the connection is closed before a response: Dify may have started it', async () => {
		const hangUp: Answer = (_request, response) => response.socket?.destroy();
		expect((await chat([hangUp, CHATTED], { retries: 5 })).sent).toHaveLength(1);
	});

	test.each(['Provider a/b/c does not exist.', 'Qrovtjer x/y/z fptk pqw wkxtq.'])(
		'asks for the form of the app whatever it says: %s',
		async (message) => {
			const { requests } = await chat([rejection(400, 'invalid_param', message)]);
			expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
				CHAT,
				'GET /v1/parameters',
			]);
		},
	);

	test('because of an input names the field of the form', async () => {
		const form = [{ 'text-input': { variable: 'city', label: 'City', required: true } }];
		const { outcome } = await chat(
			rejection(400, 'invalid_param', 'city is required in input form'),
			{},
			{ 'GET /v1/parameters': json({ user_input_form: form }) },
		);
		expect(outcome).toMatchObject({
			message: 'City: city is required in input form',
			field: 'City',
		});
	});

	test.each([
		['workflow', 'wrongAppType', /This key belongs to a workflow/],
		['chat', 'appUnavailable', /./],
	])('because the app is a %s: %s', async (mode, type, suggestion) => {
		const info = { 'GET /v1/info': json({ mode }) };
		const { outcome } = await chat(rejection(400, 'app_unavailable'), {}, info);
		expect(outcome).toMatchObject({
			type,
			suggestion: expect.stringMatching(suggestion) as string,
		});
	});
});

describe('a run that pauses after its stream was lost', () => {
	const FOLLOWED = `GET /v1/workflow/${RUN}/events`;
	const FORM = { form_id: 'f', node_id: 'n', form_token: null, form_content: 'Approve?' };
	const REASON = { TYPE: 'human_input_required', ...FORM };
	const pausedEvent = (data: object = {}) => ({
		event: 'workflow_paused',
		workflow_run_id: RUN,
		task_id: 'of the follower',
		created_at: 99,
		data: { reasons: [REASON], ...data },
	});
	const said = (answer: string) => ({ ...events.flowText(answer), conversation_id: undefined });
	const WARNED = { event: 'warning', message: 'Low credit', workflow_run_id: RUN };
	const OTHER_WARNING = { ...WARNED, message: 'Slow node' };
	const RECORDED = expect.stringContaining("read from Dify's run record") as string;

	/** What a chatflow returns whose stream was lost after "Hel", and whose record has paused with "Hello?". */
	async function pause(
		follow: Answer | Answer[],
		request: Partial<ChatMessageRequest> = {},
		first: object[] = [events.started, events.flowText('Hel')],
	) {
		const deltas: TextDelta[] = [];
		const onDeltas = async (list: TextDelta[]) => await Promise.resolve(void deltas.push(...list));
		const { outcome, requests } = await chat(
			stream(first, 'break'),
			{ onDeltas, ...request },
			{
				[`GET /v1/workflows/run/${RUN}`]: json({
					id: RUN,
					status: 'paused',
					outputs: { answer: 'Hello?' },
				}),
				[FOLLOWED]: follow,
			},
		);
		if (outcome instanceof Error) throw outcome;
		const followed = requests.filter(({ path }) => path.includes('/events'));
		return { ...outcome, deltas, followed: followed.map(({ path }) => path) };
	}

	test('has the forms that only its events have, and the IDs of its start', async () => {
		const { result, followed } = await pause(stream([pausedEvent()], 'open'));
		expect(followed).toEqual([`/v1/workflow/${RUN}/events?user=u&include_state_snapshot=true`]);
		expect(result).toMatchObject({
			status: 'paused',
			conversationId: IDS.conversation_id,
			messageId: IDS.message_id,
			taskId: TASK,
			createdAt: IDS.created_at,
			workflowRunId: RUN,
			pause: { forms: [{ formId: 'f', nodeId: 'n' }], reasons: [REASON] },
		});
	});

	test.each([
		{ events: 'have no text', list: [], text: 'Hello?', rest: [] },
		{ events: 'have the same text', list: [said('Hello?')], text: 'Hello?', rest: [] },
		{
			events: 'have more text',
			list: [said('Hello? Say yes.')],
			text: 'Hello? Say yes.',
			rest: [{ type: 'append', text: ' Say yes.' }],
		},
		{ events: 'have another text', list: [said('Say yes.')], text: 'Say yes.', rest: [] },
	])('has the last text, and shows the rest of it, if its events $events', async (row) => {
		const { result, deltas } = await pause(stream([...row.list, pausedEvent()], 'open'));
		expect(result.text).toBe(row.text);
		expect(deltas).toEqual([
			{ type: 'append', text: 'Hel' },
			{ type: 'append', text: 'lo?' },
			...row.rest,
		]);
	});

	test('needs no display for the rest of its text', async () => {
		const answer = stream([said('Hello? Say yes.'), pausedEvent()], 'open');
		const { result } = await pause(answer, { onDeltas: undefined });
		expect(result.text).toBe('Hello? Say yes.');
	});

	test('is not lost with a display that fails at the rest of its text', async () => {
		const shown: string[] = [];
		const onDeltas = async (list: TextDelta[]) => {
			shown.push(...list.map(({ text }) => text));
			await (shown.length > 2 ? Promise.reject(new Error('chat closed')) : Promise.resolve());
		};
		const answer = stream([said('Hello? Say yes.'), pausedEvent()], 'open');
		const { result } = await pause(answer, { onDeltas });
		expect(result).toMatchObject({ status: 'paused', text: 'Hello? Say yes.' });
		expect(shown).toEqual(['Hel', 'lo?', ' Say yes.']);
	});

	test('has each warning of both readings once', async () => {
		const first = [events.started, WARNED, events.flowText('Hel')];
		const answer = stream([WARNED, OTHER_WARNING, pausedEvent()], 'open');
		expect((await pause(answer, {}, first)).result.warnings).toEqual([
			'Dify warns: "Low credit"',
			RECORDED,
			'Dify warns: "Slow node"',
		]);
	});

	test.each([
		{ follow: 'are missing', answer: json({ code: 'not_found', message: 'x' }, 404) },
		{ follow: 'are those of another user', answer: json({ code: 'not_found' }, 403) },
		{ follow: 'fail', answer: stream([{ event: 'error', message: 'broken', code: 'x' }]) },
	])('stays as its record has it if its events $follow', async ({ answer }) => {
		const { result, deltas } = await pause(answer);
		expect(result).toMatchObject({
			status: 'paused',
			text: 'Hello?',
			pause: { forms: [], reasons: [] },
			warnings: [RECORDED],
		});
		expect(deltas.map(({ text }) => text)).toEqual(['Hel', 'lo?']);
	});

	test('is an error if the execution is stopped while its events are read', async () => {
		const controller = new AbortController();
		const { client } = await start(
			{
				[CHAT]: stream([events.started, events.flowText('Hel')], 'break'),
				[`GET /v1/workflows/run/${RUN}`]: json({ id: RUN, status: 'paused' }),
				[FOLLOWED]: stream([said('Hel')], 'open', () => controller.abort()),
			},
			controller.signal,
		);
		const message = { inputs: {}, user: 'u', query: 'x', conversation: { type: 'new' } } as const;
		expect(await getError(sendChatMessage(client, message))).toMatchObject({ type: 'aborted' });
	});

	test.each([
		{ which: 'has its forms', list: [events.started, pausedEvent()], forms: 1 },
		{
			which: 'has no ID, so that its events cannot be read',
			list: [{ event: 'workflow_paused', ...IDS, data: {} }],
			forms: 0,
		},
	])('is not read again if its pause $which', async ({ list, forms }) => {
		const { result, followed } = await pause(json({}), {}, list);
		expect(result).toMatchObject({ status: 'paused', warnings: [] });
		expect(result.pause?.forms).toHaveLength(forms);
		expect(followed).toEqual([]);
	});
});

describe('the span of a run', () => {
	const traces = useTraces();
	const USAGE = { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 };

	test.each([
		{
			usage: USAGE,
			counts: { 'gen_ai.usage.input_tokens': 11, 'gen_ai.usage.output_tokens': 5 },
		},
		{ usage: undefined, counts: {} },
		{
			usage: { prompt_tokens: 'many', completion_tokens: 5 },
			counts: { 'gen_ai.usage.output_tokens': 5 },
		},
	])('has its IDs, its status, and the counts of $usage', async ({ usage, counts }) => {
		const end = { ...events.messageEnd, metadata: { usage } };
		const { server } = await start({ [CHAT]: stream([events.text('Hi'), end]) });
		const client = createDifyClient({ baseUrl: `${server.url}/v1` }, traces.helpers);
		const message = { inputs: {}, user: 'u', query: 'x', conversation: { type: 'new' } } as const;
		const { result } = await sendChatMessage(client, message);
		expect(result.text).toBe('Hi');
		const [span] = traces.spans();
		expect(span).toMatchObject({
			name: 'chat',
			parentSpanContext: { spanId: traces.nodeSpanId() },
		});
		const attributes = Object.entries(span!.attributes).filter(([name]) =>
			name.startsWith('gen_ai.'),
		);
		expect(Object.fromEntries(attributes)).toEqual({
			'gen_ai.operation.name': 'chat',
			'gen_ai.provider.name': 'dify',
			'gen_ai.conversation.id': IDS.conversation_id,
			'gen_ai.response.id': IDS.message_id,
			'gen_ai.response.finish_reasons': ['succeeded'],
			...counts,
		});
	});

	test('is named for the error of a run that failed', async () => {
		const { server } = await start({ [CHAT]: rejection(401, 'unauthorized') });
		const client = createDifyClient({ baseUrl: `${server.url}/v1` }, traces.helpers);
		const message = { inputs: {}, user: 'u', query: 'x', conversation: { type: 'new' } } as const;
		await getError(sendChatMessage(client, message));
		expect(traces.spans()).toMatchObject([
			{ name: 'chat', attributes: { 'error.type': 'unauthorized' }, status: { code: 2 } },
		]);
	});
});

describe('the conversation of a message', () => {
	const ID = 'AAAAAAAA-2222-4333-8444-555555555555';
	const inConversation = (id: string) =>
		stream([
			{ ...events.text('Hi'), conversation_id: id },
			{ ...events.messageEnd, conversation_id: id },
		]);

	test('is continued, in whatever case Dify writes its ID', async () => {
		const { outcome, sent } = await chat(inConversation(ID.toLowerCase()), {
			conversation: { type: 'id', id: ID },
		});
		expect(outcome).toMatchObject({ conversationRestarted: false });
		expect(sent).toMatchObject([{ conversation_id: ID }]);
	});

	test('is reported if Dify started another one', async () => {
		const conversation = { type: 'id', id: ID } as const;
		const { outcome } = await chat(inConversation('c'), { conversation });
		expect(outcome).toMatchObject({ conversationRestarted: true });
	});

	test.each([
		[[{ id: 'latest' }], 'latest'],
		[[], undefined],
	])('is the last one of the user: %j', async (data, id) => {
		const list = { 'GET /v1/conversations': json({ data, has_more: false, limit: 1 }) };
		const { outcome, sent, requests } = await chat(
			inConversation(id ?? 'c'),
			{ conversation: { type: 'latest' } },
			list,
		);
		expect(outcome).toMatchObject({ conversationRestarted: false });
		expect(sent[0]!.conversation_id).toBe(id);
		expect(requests[0]!.path).toContain('user=u&sort_by=-updated_at');
	});

	const ENDED = rejection(400, 'conversation_completed');
	/** The error arrives after the run has started. */
	const BEGUN = stream([
		events.text('Hi'),
		{ code: 'not_found', message: 'Conversation Not Exists.', status: 404 },
	]);
	test.each([
		['startNew', MISSING, 2],
		['startNew', ENDED, 2],
		['startNew', BEGUN, 1],
		['startNew', rejection(400, 'invalid_param'), 1],
		['error', MISSING, 1],
		[undefined, MISSING, 1],
	] as const)('that is stale, with %s', async (onStaleConversation, answer, count) => {
		const conversation = { type: 'id', id: ID } as const;
		const { outcome, sent } = await chat([answer, CHATTED], { conversation, onStaleConversation });
		expect(sent.map(({ conversation_id: id }) => id)).toEqual([ID, undefined].slice(0, count));
		if (count === 2) expect(outcome).toMatchObject({ conversationRestarted: true });
		else expect(outcome).toBeInstanceOf(ServerError);
	});
});

describe('Stop', () => {
	test.each([
		['a message', true, CHAT, `POST /v1/chat-messages/${TASK}/stop`],
		['a message', false, CHAT, `POST /v1/chat-messages/${TASK}/stop`],
		['a workflow', true, 'POST /v1/workflows/run', `POST /v1/workflows/tasks/${TASK}/stop`],
		['a text', true, 'POST /v1/completion-messages', `POST /v1/completion-messages/${TASK}/stop`],
	])(
		'of %s is sent to its own route, although the execution has ended (accepted: %s)',
		async (_name, isAccepted, begin, stop) => {
			const controller = new AbortController();
			let end = () => {};
			const said = stream([events.text('Hi')], 'open', (response) => {
				end = () => response.end();
				controller.abort();
			});
			const stopped: Answer = (...exchange) => {
				(isAccepted ? json({ result: 'success' }) : MISSING)(...exchange);
				end();
			};
			const { server, client } = await start({ [begin]: said, [stop]: stopped }, controller.signal);
			const request = { inputs: {}, user: 'anna' };
			const message = { ...request, query: 'x', conversation: { type: 'new' } } as const;
			const running = {
				'a message': async () => await sendChatMessage(client, message),
				'a workflow': async () => await runWorkflow(client, request),
				'a text': async () => await sendCompletionMessage(client, request),
			}[_name]!();
			const sent = await Promise.race([server.arrived('/stop'), running]);
			expect(sent).toMatchObject([{ path: stop.slice('POST '.length), body: { user: 'anna' } }]);
			expect(await getError(running)).toMatchObject({
				type: 'aborted',
				partialText: 'Hi',
				facts: { stopRequested: isAccepted, taskId: TASK },
			});
		},
	);

	test('of a workflow by its ID', async () => {
		const route = `POST /v1/workflows/tasks/${RUN}/stop`;
		const { server, client } = await start({ [route]: json({ result: 'success' }) });
		await stopWorkflow(client, { taskId: RUN, user: 'anna' });
		expect(server.sent('/stop')).toEqual([{ user: 'anna' }]);
	});

	test('of another app names its type', async () => {
		const { client } = await start({
			[`POST /v1/workflows/tasks/${RUN}/stop`]: rejection(400, 'not_workflow_app'),
			'GET /v1/info': json({ mode: 'chat' }),
		});
		const error = await getError(stopWorkflow(client, { taskId: RUN, user: 'anna' }));
		expect(error.suggestion).toContain('This key belongs to a chatbot');
	});
});

const generate = async (answer: string, usage: unknown) => {
	const end = { event: 'message_end', ...IDS, metadata: { usage } };
	const { client } = await start({
		'POST /v1/completion-messages': stream([events.text(answer), end]),
	});
	return await sendCompletionMessage(client, { inputs: {}, user: 'u' });
};

test.each([
	['Hi', { total_tokens: 0 }, 1],
	['Hi', { total_tokens: 5 }, 0],
	['Hi', undefined, 0],
	['', { total_tokens: 0 }, 0],
])(
	'the text of a text generator: %j with the usage %j: %d warnings',
	async (answer, usage, warnings) => {
		const result = await generate(answer, usage);
		expect(result.text).toBe(answer);
		expect(result.warnings).toHaveLength(warnings);
		for (const warning of result.warnings) expect(warning).toContain('counted no tokens');
	},
);

describe('the field Text', () => {
	const form = (...types: string[]) => ({
		user_input_form: types.map((type, at) => ({ [type]: { variable: `v${at}` } })),
	});

	test('fills the only text variable of the form that is empty', () => {
		expect(withTextInput({}, { text: 'x', appParameters: form('number', 'paragraph') })).toEqual({
			v1: 'x',
		});
		expect(
			withTextInput({ v0: 'a' }, { text: 'x', appParameters: form('text-input', 'text-input') }),
		).toEqual({
			v0: 'a',
			v1: 'x',
		});
	});

	test.each([
		[form('number', 'select'), 'The app has no variable for the field Text', 'Clear the field'],
		[form('text-input', 'paragraph'), 'matches more than one variable', 'except one: v0, v1.'],
	])('is an error if there is none or several: %j', (parameters, title, suggestion) => {
		const fill = () => withTextInput({}, { text: 'x', appParameters: parameters });
		expect(fill).toThrow(title);
		expect(fill).toThrow(
			expect.objectContaining({
				type: 'invalidInputs',
				suggestion: expect.stringContaining(suggestion) as string,
			}),
		);
	});
});
