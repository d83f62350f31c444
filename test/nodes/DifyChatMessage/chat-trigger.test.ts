import { startApp, startSim } from '../../lib/dify/client';
import { chat, chatJson, prepare, execute, type Setup } from '../dify';

/** Output of a Chat Trigger, and the node with its defaults. */
const said = (chatInput: string, sessionId = 'session-1'): Setup => ({
	items: [{ json: { sessionId, action: 'sendMessage', chatInput } }],
	parameters: { query: chatInput, user: '', conversation: 'auto' },
});

describe('after a Chat Trigger, the node with its defaults is a chat', () => {
	test('its messages are one conversation, each session has its own', async () => {
		const sim = await startSim();
		const first = await chatJson(sim, said('one'));
		const second = await chatJson(sim, said('two'));
		const other = await chatJson(sim, said('one', 'session-2'));
		expect(second.conversationId).toBe(first.conversationId);
		expect(other.conversationId).not.toBe(first.conversationId);
		expect([first.user, other.user]).toEqual(['session-1', 'session-2']);
	});

	test('the item has the field that the chat shows, in addition to the answer', async () => {
		const sim = await startApp({ mode: 'chat', reply: () => ({ steps: [{ text: 'Hello' }] }) });
		expect(await chatJson(sim, said('hi'))).toMatchObject({ answer: 'Hello', output: 'Hello' });
		const parameters = { ...said('hi').parameters, simplify: false };
		expect(await chatJson(sim, { ...said('hi'), parameters })).toMatchObject({ output: 'Hello' });
		expect(await chatJson(sim)).not.toHaveProperty('output');
	});

	test('with an explicit user, each message starts a new conversation', async () => {
		const sim = await startSim();
		const setup = said('hi');
		const parameters = { ...setup.parameters, user: 'everybody' };
		const one = await chatJson(sim, { ...setup, parameters });
		const two = await chatJson(sim, { ...setup, parameters });
		expect(two.conversationId).not.toBe(one.conversationId);
	});

	test('without a chat, each item is new; two messages of a session run in order', async () => {
		const sim = await startSim();
		const items = [{ json: { chatInput: 'a' } }, { json: { chatInput: 'b' } }];
		const parameters = { user: '', conversation: 'auto' };
		const ids = (await chat(sim, { items, parameters })).map(({ json }) => json.conversationId);
		expect(new Set(ids).size).toBe(2);
		const session = items.map(({ json }) => ({ json: { ...json, sessionId: 's' } }));
		const fake = prepare(sim, {
			items: session,
			parameters: { ...parameters, options: { maxConcurrentItems: 2 } },
		});
		const together = (await execute(fake)).map(({ json }) => json.conversationId);
		expect(new Set(together).size).toBe(1);
	});
});

test('files of a response: full signed URLs, and binary data on request', async () => {
	const file = { type: 'image', url: '/files/tools/one.png?sign=1' };
	const sim = await startApp({
		mode: 'chat',
		reply: () => ({ steps: [{ text: 'Here: ' }, { file }, { text: 'done' }] }),
	});
	expect((await chatJson(sim)).files).toMatchObject([{ url: sim.origin + file.url }]);
	sim.fail({ path: '/files/tools/one', status: 200, body: 'png!', contentType: 'image/png' });
	const [item] = await chat(sim, { parameters: { options: { include: ['files'] } } });
	expect(item!.binary).toMatchObject({
		file_0: { data: Buffer.from('png!').toString('base64'), mimeType: 'image/png' },
	});
});
