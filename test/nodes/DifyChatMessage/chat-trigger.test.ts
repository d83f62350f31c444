import { startApp, startSim } from '../../lib/dify/client';
import { sendMessages, sendMessageJson, prepare, execute, type Setup } from '../dify';

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

	test('without a chat, each item is new; two messages of a session run in order', async () => {
		const sim = await startSim();
		const items = [{ json: { chatInput: 'a' } }, { json: { chatInput: 'b' } }];
		const parameters = { user: '', conversation: 'auto' };
		const ids = (await sendMessages(sim, { items, parameters })).map(
			({ json }) => json.conversationId,
		);
		expect(new Set(ids).size).toBe(2);
		const session = items.map(({ json }) => ({ json: { ...json, sessionId: 's' } }));
		const fake = prepare(sim, {
			items: session,
			parameters: { ...parameters, options: { maxConcurrentItems: 2 } },
		});
		const sessionIds = (await execute(fake)).map(({ json }) => json.conversationId);
		expect(new Set(sessionIds).size).toBe(1);
	});
});

test('files of a response: full signed URLs, and binary data on request', async () => {
	const file = { type: 'image', url: '/files/tools/one.png?sign=1' };
	const sim = await startApp({
		mode: 'chat',
		reply: () => ({ steps: [{ text: 'Here: ' }, { file }, { text: 'done' }] }),
	});
	expect((await sendMessageJson(sim)).files).toMatchObject([{ url: sim.origin + file.url }]);
	sim.fail({ path: '/files/tools/one', status: 200, body: 'png!', contentType: 'image/png' });
	const [item] = await sendMessages(sim, { parameters: { options: { include: ['files'] } } });
	expect(item!.binary).toMatchObject({
		file_0: { data: Buffer.from('png!').toString('base64'), mimeType: 'image/png' },
	});
});
