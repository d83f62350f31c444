import { reply, type Scripted } from '../../servers/llama-server';
import { expectEndOnStop, run, server, sim, useServer } from './run-node';

useServer();

const TEST = {
	operation: 'isolationTest',
	conversations: 5,
	conversationsAtOnce: 2,
	options: { timeLimit: 15 },
};
const echo: Scripted = ({ body }) =>
	reply.text(/conversation is (\w+)/.exec(JSON.stringify(body))![1]!);

describe('Isolation Test', () => {
	it('gives the result as an item', async () => {
		await sim();
		server().script(...Array.from({ length: 10 }, () => echo));
		const [items, unhealthy] = await run({ parameters: TEST });
		expect(unhealthy).toEqual([]);
		expect(items![0]!.json).toMatchObject({
			status: 'healthy',
			isolationTest: { conversations: 5, answers: 10, withOwnWord: 10, withForeignWord: 0 },
		});
	});

	it('mixed up conversations: by the second output', async () => {
		await sim();
		const words: string[] = [];
		const mix: Scripted = ({ body }) => {
			words.push(/conversation is (\w+)/.exec(JSON.stringify(body))![1]!);
			return reply.text(words[0]!);
		};
		server().script(...Array.from({ length: 10 }, () => mix));
		const [, items] = await run({ parameters: TEST });
		expect(items![0]!.json.findings).toMatchObject([{ id: 'foreignContent' }, {}]);
	});

	it('several models and none chosen: the node says what to do', async () => {
		await sim({ profile: 'router', models: [{ id: 'a' }, { id: 'b' }] });
		await expect(run({ parameters: TEST })).rejects.toMatchObject({
			message: 'The server has several models, and none is chosen',
		});
	});

	it('ends at once on Stop, and leaves nothing running on the server', async () => {
		await expectEndOnStop({ tokenDelayMs: 200 }, { ...TEST, isolationTokens: 4096 });
	});
});
