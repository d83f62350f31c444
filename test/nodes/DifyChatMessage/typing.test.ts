import { waitFor } from '../../lib/dify/ask';
import { clientOf, closeSims, startApp } from '../../lib/dify/client';
import { SAMPLES, SIM_VERSIONS, type Reply } from '../../servers/dify';
import type { ExecuteFake } from '../../support/execute-context';
import { chatError, chatJson, executeIn, prepareNode, said, shownIn, type Setup } from '../dify';

afterEach(closeSims);

describe.each(SIM_VERSIONS)('streaming, %s', (version) => {
	test('Streaming: pieces are shown while Dify still writes; one item comes out for each that goes in', async () => {
		const sim = await startApp(version, {
			mode: 'chat',
			reply: () => ({ steps: [...said('Once ', '[DONE] '), { wait: 60_000 }, ...said('never')] }),
		});
		const fake: ExecuteFake = prepareNode('difyChatMessage', sim, { streaming: true });
		const running = executeIn('difyChatMessage', fake);
		await waitFor(() => shownIn(fake) === 'Once [DONE] ');
		expect(sim.runs[0]!.status).toBe('running');
		await clientOf(sim).send('POST', `/chat-messages/${sim.runs[0]!.taskId}/stop`, { user: 'u1' });
		expect((await running).map(({ json }) => json.answer)).toEqual(['Once [DONE] ']);
		expect([fake.chunks[0]!.type, fake.chunks.at(-1)!.type]).toEqual(['begin', 'end']);
	});

	test('Streaming: agent messages, replacements, text in message_file and workflow events count; an error is one', async () => {
		const answers: Array<[Setup['mode'], Reply, string]> = [
			['agent-chat', SAMPLES.agentChat, 'Let me check. It is noon.'],
			['chat', { steps: [...said('bad'), { replace: 'Withheld.' }] }, 'Withheld.'],
			['chat', { steps: [{ file: { type: 'image', url: '/a.png' } }, ...said('See ', 'this')] }, 'See this'],
			['advanced-chat', SAMPLES.chatflow, 'Hello'],
			['chat', { steps: [...said('a'), { raw: 'data: {broken\n\n' }, ...said('b')] }, 'ab'],
		];
		for (const [mode, reply, answer] of answers)
			expect(await chatJson(await startApp(version, { mode: mode!, reply: () => reply }), { mode })).toMatchObject({
				answer,
			});
		const failing = await startApp(version, {
			mode: 'chat',
			reply: () => ({
				steps: [...said('half'), { error: { code: 'completion_request_error', status: 400, message: 'no credits' } }],
			}),
		});
		expect((await chatError(failing)).description).toContain('"no credits"');
	});
});
