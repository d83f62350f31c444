import { run, server, sim, SESAME, useServer } from './run-node';
import { reply } from '../../simulators/llama-server';
import { playModel } from '../../lib/health/tool-answers';
import { ServerHealth } from '../../../nodes/ServerHealth/ServerHealth.node';
import { executeContext } from '../../support/n8n/execute-context';

useServer();

const TOOL_TEST = { operation: 'toolTest', options: { timeout: 60 } };
const getRequests = () =>
	server().requests.filter(({ path }) => path.endsWith('/chat/completions'));

describe('Tool Test', () => {
	it('runs eight cases, and returns the table of questions and calls as an item', async () => {
		await sim();
		playModel(server(), (one) =>
			one.name === 'a number' ? reply.text('It is warm now.') : undefined,
		);
		const [items, unhealthy] = await run({ parameters: TOOL_TEST });
		expect(unhealthy).toEqual([]);
		expect(items).toMatchObject([
			{
				json: {
					status: 'healthy',
					toolTest: { model: 'sim-model', passed: 7, completed: 8, skipped: 0 },
				},
				pairedItem: { item: 0 },
			},
		]);
		expect(items![0]!.json.findings).toMatchObject([
			{ id: 'toolsUnreliable', observed: '7 of 8 passed; a number: no tool was called' },
		]);
		const { cases } = items![0]!.json.toolTest as { cases: object[] };
		expect(cases[5]).toEqual({
			case: 'a number',
			question: 'Set the heating to twenty-one and a half degrees Celsius.',
			called: 'It is warm now.',
			passed: false,
			problem: 'noCall',
		});
		expect(getRequests()).toHaveLength(9);
	});

	it('shows its progress in a chat', async () => {
		await sim();
		playModel(server());
		const { context, chunks } = executeContext({
			type: 'n8n-nodes-local-llama.serverHealth',
			credentials: { baseUrl: server().url, apiKey: SESAME },
			parameters: { service: 'modelServer', ...TOOL_TEST },
			streaming: true,
		});
		await new ServerHealth().execute.call(context);
		const lines = chunks.map(({ content = '' }) => content);
		expect(lines).toHaveLength(10);
		expect(lines[1]).toBe('Case 1 of 8, no call needed: passed\n');
	});

	it('keeps to the limits in the fields', async () => {
		await sim();
		playModel(server());
		await run({ parameters: { ...TOOL_TEST, maxTokens: 64, testTimeout: 90 } });
		for (const { body } of getRequests()) expect(body).toMatchObject({ max_tokens: 64 });
	});
});
