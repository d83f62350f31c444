import { startSim, UNKNOWN_ID, startApp } from '../../lib/dify/client';
import { inConversation, sendMessageJson, sendMessages, sendMessageError } from '../dify';
import type { Setup } from '../dify';

/** Output of a Chat Trigger, and the node with its defaults. */
const createChatSetup = (chatInput: string, sessionId = 'session-1'): Setup => ({
	items: [{ json: { sessionId, action: 'sendMessage', chatInput } }],
	parameters: { query: chatInput, user: '', conversation: 'auto' },
});

describe('after a Chat Trigger, the node with its defaults is a chat', () => {
	test('its messages are one conversation, each session has its own', async () => {
		const sim = await startSim();
		const first = await sendMessageJson(sim, createChatSetup('one'));
		const second = await sendMessageJson(sim, createChatSetup('two'));
		const otherSession = await sendMessageJson(sim, createChatSetup('one', 'session-2'));
		expect(second.conversationId).toBe(first.conversationId);
		expect(otherSession.conversationId).not.toBe(first.conversationId);
		expect([first.user, otherSession.user]).toEqual(['session-1', 'session-2']);
	});

	test('the item has the field that the chat shows, in addition to the response', async () => {
		const sim = await startApp({ mode: 'chat', reply: () => ({ steps: [{ text: 'Hello' }] }) });
		expect(await sendMessageJson(sim, createChatSetup('hi'))).toMatchObject({
			answer: 'Hello',
			output: 'Hello',
		});
		const parameters = { ...createChatSetup('hi').parameters, simplify: false };
		expect(await sendMessageJson(sim, { ...createChatSetup('hi'), parameters })).toMatchObject({
			output: 'Hello',
		});
		expect(await sendMessageJson(sim)).not.toHaveProperty('output');
	});

	test('with an explicit user, each message starts a new conversation', async () => {
		const sim = await startSim();
		const setup = createChatSetup('hi');
		const parameters = { ...setup.parameters, user: 'everybody' };
		const first = await sendMessageJson(sim, { ...setup, parameters });
		const second = await sendMessageJson(sim, { ...setup, parameters });
		expect(second.conversationId).not.toBe(first.conversationId);
	});
});

test.each([
	['workflow', 'a workflow', 'Dify Workflow'],
	['completion', 'a text generator', 'Dify Apps'],
] as const)(
	'the key of a %s app is named, with a Chat Trigger and without',
	async (mode, app, node) => {
		for (const setup of [createChatSetup('hi'), {}]) {
			for (const streaming of [true, false]) {
				const sim = await startApp({ mode });
				const { message, description } = await sendMessageError(sim, { ...setup, mode, streaming });
				expect(`${message} ${description}`).toContain(
					`This key belongs to ${app}: use the ${node} node`,
				);
			}
		}
	},
);

test('files of a response: full signed URLs, and binary data on request', async () => {
	const file = { type: 'image', url: '/files/tools/one.png?sign=1' };
	const sim = await startApp({
		mode: 'chat',
		reply: () => ({ steps: [{ text: 'Here: ' }, { file }, { text: 'done' }] }),
	});
	const body = 'GIF89a';
	sim.fail({ path: '/files/tools/one', status: 200, body, contentType: 'image/gif' });
	const [item] = await sendMessages(sim, { parameters: { options: { include: ['files'] } } });
	expect(item!.json.files).toMatchObject([{ url: sim.origin + file.url }]);
	expect(item!.binary).toMatchObject({
		file_0: { data: Buffer.from(body).toString('base64'), mimeType: 'image/gif' },
	});
});

test('files of a chatflow are those of its response, not those that other nodes of it have', async () => {
	const toFile = (name: string) => ({
		dify_model_identity: '__dify__file__',
		id: name,
		filename: `${name}.png`,
		type: 'image',
		url: `/files/tools/${name}.png?sign=1`,
	});
	const sim = await startApp({
		mode: 'advanced-chat',
		reply: () => ({
			steps: [{ text: 'Here' }],
			files: [toFile('shown')],
			outputs: { answer: 'Here', files: [toFile('shown')], draft: toFile('hidden') },
		}),
	});
	sim.fail({ path: '/files/tools/shown', status: 200, body: 'png!', contentType: 'image/png' });
	sim.fail({ path: '/files/tools/hidden', status: 200, body: 'no!', contentType: 'image/png' });
	const [item] = await sendMessages(sim, {
		mode: 'advanced-chat',
		parameters: { options: { include: ['files'] } },
	});
	expect(Object.values(item!.binary ?? {}).map(({ fileName }) => fileName)).toEqual(['shown.png']);
});

describe('the request of a message', () => {
	test('the query is sent unchanged, and values of any type become text', async () => {
		const sim = await startSim();
		await sendMessageJson(sim, { parameters: { query: '<b>"&\'</b> 你好 😀' } });
		await sendMessageJson(sim, { parameters: { query: 42 } });
		await sendMessageJson(sim, { parameters: { query: { a: 1 } } });
		expect(sim.runs.map(({ query }) => query)).toEqual(['<b>"&\'</b> 你好 😀', '42', '{"a":1}']);
		expect(
			(await sendMessageError(sim, { parameters: { query: '' }, written: { query: '' } })).message,
		).toBe('The query is empty');
		expect((await sendMessageError(sim, { parameters: { query: undefined } })).message).toBe(
			'This item has no chatInput',
		);
	});

	test('an empty conversation ID starts a new conversation, a malformed one is rejected', async () => {
		const sim = await startSim({});
		for (const value of ['', ' ', null, undefined])
			await sendMessageJson(sim, { parameters: inConversation(value) });
		expect(new Set(sim.runs.map(({ conversationId }) => conversationId)).size).toBe(4);
		const error = await sendMessageError(sim, { parameters: inConversation('abc') });
		expect(error.message).toContain('conversation ID is not valid');
	});

	test('the error of a stale conversation suggests a fix', async () => {
		const sim = await startSim();
		const error = await sendMessageError(sim, { parameters: inConversation(UNKNOWN_ID) });
		expect(error.message).toBe('Conversation Not Exists');
		expect(error.description).toContain('When Conversation Is Unavailable');
		expect(error.context.data).toMatchObject({
			type: 'conversationNotFound',
			status: 404,
			code: 'not_found',
		});
	});

	test('version, automatic name and trace ID are sent', async () => {
		const sim = await startApp({ mode: 'advanced-chat', versions: [UNKNOWN_ID] });
		await sendMessageJson(sim, {
			mode: 'advanced-chat',
			parameters: {
				options: { workflowId: ` ${UNKNOWN_ID} `, autoGenerateName: false, traceId: 'trace_1' },
			},
		});
		expect(sim.requests[0]!.json).toMatchObject({
			workflow_id: UNKNOWN_ID,
			auto_generate_name: false,
			trace_id: 'trace_1',
		});
		expect(
			(
				await sendMessageError(sim, {
					mode: 'advanced-chat',
					parameters: { options: { traceId: 'no blanks' } },
				})
			).message,
		).toBe('The trace ID is not valid');
	});

	test('timeouts are seconds; 0 disables them, invalid values are rejected', async () => {
		const sim = await startApp(
			{ mode: 'chat', reply: () => ({ steps: [{ text: 'a' }, { wait: 60_000 }] }) },
			{ stream: { pingEveryMs: 5 } },
		);
		expect(
			(await sendMessageError(sim, { parameters: { options: { totalTimeout: '0.05' } } }))
				.description,
		).toContain('longer than 50 ms');
		expect(
			(await sendMessageError(sim, { parameters: { options: { idleTimeout: 'soon' } } })).message,
		).toContain('"Idle Timeout (Seconds)" must be a number');
	});
});
