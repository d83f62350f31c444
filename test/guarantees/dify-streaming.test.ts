/** The text of Dify in n8n's chat while Dify still streams. */
import { waitFor } from '../support/waiting/wait-for';
import { createClient, startApp } from '../lib/dify/client';
import { wireText } from '../simulators/dify';
import type { ExecuteFake } from '../support/n8n/execute-context';
import {
	executePrepared,
	prepareNode,
	getStreamedText,
	toSteps,
	prepare,
	execute,
} from '../nodes/dify';

test('Streaming: deltas are displayed while Dify still streams; each input item has one output item', async () => {
	const sim = await startApp({
		mode: 'chat',
		reply: () => ({
			steps: [...toSteps('Once ', '[DONE] '), { wait: 60_000 }, ...toSteps('never')],
		}),
	});
	const fake: ExecuteFake = prepareNode('difyChatMessage', sim, { streaming: true });
	const running = executePrepared('difyChatMessage', fake);
	await waitFor(() => getStreamedText(fake) === 'Once [DONE] ');
	expect(sim.runs[0]!.status).toBe('running');
	await createClient(sim).sendJson('POST', `/chat-messages/${sim.runs[0]!.taskId}/stop`, {
		json: { user: 'u1' },
	});
	expect((await running).map(({ json }) => json.answer)).toEqual(['Once [DONE] ']);
	expect([fake.chunks[0]!.type, fake.chunks.at(-1)!.type]).toEqual(['begin', 'end']);
});

describe("streaming into n8n's chat", () => {
	const story = { steps: [{ text: 'Once ' }, { text: 'upon ' }, { text: 'a time' }] };

	test('events that arrive together are one delta', async () => {
		const events = ['Once ', 'upon ', 'a time'].map((answer) =>
			wireText({ kind: 'event', event: { event: 'message', answer } }),
		);
		const sim = await startApp({
			mode: 'chat',
			reply: () => ({ steps: [{ raw: events.join('') }] }),
		});
		const fake = prepare(sim, { streaming: true });
		await execute(fake);
		expect(fake.chunks.map(({ type }) => type)).toEqual(['begin', 'item', 'end']);
	});

	test('not if it is off, as a tool, or without a chat', async () => {
		const sim = await startApp({ mode: 'chat', reply: () => story });
		for (const setup of [
			{ streaming: true, parameters: { options: { enableStreaming: false } } },
			{ streaming: true, type: 'CUSTOM.difyChatMessageTool' },
			{ streaming: false },
		]) {
			const fake = prepare(sim, setup);
			await execute(fake);
			expect(fake.chunks).toEqual([]);
		}
	});

	test('a replaced response starts a new message', async () => {
		const sim = await startApp(
			{
				mode: 'chat',
				reply: () => ({ steps: [{ text: 'bad ' }, { replace: 'Withheld.' }, { text: ' Sorry.' }] }),
			},
			{ stream: { delayMs: 5 } },
		);
		const fake = prepare(sim, { streaming: true });
		await execute(fake);
		expect(fake.chunks.map(({ type, content }) => content ?? type)).toEqual([
			'begin',
			'bad ',
			'end',
			'begin',
			'Withheld.',
			' ',
			'Sorry.',
			'end',
		]);
	});

	test('an error is shown by n8n, or by the node if it continues on fail', async () => {
		const sim = await startApp({
			mode: 'chat',
			reply: () => ({ steps: [{ text: 'a' }, { error: { status: 500, message: 'boom' } }] }),
		});
		const stopping = prepare(sim, { streaming: true });
		await expect(execute(stopping)).rejects.toThrow('boom');
		expect(stopping.chunks.map(({ type }) => type)).toEqual(['begin', 'item', 'item']);
		expect(stopping.chunks.at(-1)!.content).toBe('\n\n');
		const going = prepare(sim, { streaming: true, continueOnFail: true });
		await execute(going);
		expect(going.chunks.at(-1)).toMatchObject({
			type: 'error',
			content: expect.stringMatching(/^boom\. Check the logs/) as string,
		});
		// Chat visitors must not see the URL of Dify.
		expect(JSON.stringify(going.chunks)).not.toContain(sim.url);
	});
});
