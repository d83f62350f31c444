/** The example workflows about n8n's own features with a local model. */
import { reply, startLlamaServerSim } from '../servers/llama-server';
import { startOpenAiStream } from '../support/openai-stream';
import { example, N8N_EXAMPLES, tokenOf, WEBHOOK_CREDENTIALS } from '../e2e/support/examples';
import { openAi } from './support/openai-client';
import { pressing } from '../e2e/support/pressing';
import {
	activated,
	anyExecution,
	asked,
	call,
	describeExamples,
	lastExecution,
	localCredential,
	promptsOf,
	scripted,
	stored,
	theN8n,
} from '../e2e/support/run-examples';

const RUNS: Record<string, () => Promise<string>> = {
	'token-budget-per-user': async () => {
		const server = await scripted([{ reply: 'The answer is 42.' }]);
		const credential = await stored(WEBHOOK_CREDENTIALS.jwtAuth);
		const left = example('token-budget-per-user').nodes.find(({ name }) => name === 'Left')!;
		// The first answer takes more than that.
		const small = JSON.parse(JSON.stringify(left.parameters).replace('20000', '5')) as object;
		const workflow = await activated('token-budget-per-user', {
			local: await localCredential(server),
			model: server.model,
			others: { Ask: { type: 'jwtAuth', credential } },
			change: { Left: { ...small } },
		});
		await theN8n().waitForExecution(await theN8n().runWorkflow(workflow, 'Make the table'));
		const ask = async (user: string) =>
			await theN8n().webhook('ask-with-budget', {
				headers: tokenOf(user),
				// The user of the body does not count.
				body: { question: 'What is the answer?', user: 'nobody' },
			});
		const first = await ask('anna');
		expect(first.status).toBe(200);
		expect(await first.json()).toEqual({ answer: 'The answer is 42.', error: null, left: 0 });
		const second = await ask('anna');
		expect(second.status).toBe(429);
		expect(await second.json()).toEqual({ error: 'Your tokens of today are used up.', left: 0 });
		expect((await ask('ben')).status).toBe(200);
		const generations = promptsOf(await lastExecution(workflow.id), 'Local Chat Model');
		expect(generations).toContain('What is the answer?');
		return 'anna: 200, 429; ben: 200';
	},

	'model-selector': async () => {
		const [large, small] = [
			await scripted([{ reply: 'A long and careful answer.' }]),
			await scripted([{ reply: 'Hi.' }]),
		];
		const workflow = await activated('model-selector', {
			local: {
				'Large model': await localCredential(large, 'Large'),
				'Small model': await localCredential(small, 'Small'),
			},
			model: { 'Large model': large.model, 'Small model': small.model },
		});
		expect(await asked(workflow, 'Hello')).toBe('Hi.');
		expect(await asked(workflow, 'Why is the sky blue?')).toBe('A long and careful answer.');
		expect(await asked(workflow, 'word '.repeat(70))).toBe('A long and careful answer.');
		return 'Hello → small, Why … → large, 350 characters → large';
	},

	'mcp-tools': async () => {
		const server = await scripted([
			{ last: 'tool', reply: 'The tool has said it.' },
			{ reply: call('Calculator', { input: '17*23' }) },
		]);
		const credential = await stored({
			name: 'MCP key',
			type: 'httpHeaderAuth',
			data: { name: 'Authorization', value: 'Bearer a-long-random-value' },
		});
		const key = { type: 'httpHeaderAuth' as const, credential };
		const endpointUrl = `${theN8n().url}/mcp/local-tools`;
		const workflow = await activated('mcp-tools', {
			local: await localCredential(server),
			model: server.model,
			others: { 'MCP Server Trigger': key, 'MCP Client': key },
			change: { 'MCP Client': { endpointUrl } },
		});
		expect(await asked(workflow, 'What is 17 times 23?')).toBe('The tool has said it.');
		// The tool call is a separate execution.
		await anyExecution(workflow.id, ({ data }) => JSON.stringify(data).includes('391'));
		const refused = await fetch(endpointUrl, { method: 'POST', body: '{}' });
		expect([401, 403]).toContain(refused.status);
		return `17*23 by MCP; without the key HTTP ${refused.status}`;
	},

	'approve-tool-call': async () => {
		const server = await scripted([
			{ last: 'tool', contains: 'rejected', reply: 'I left it as it is. How shall I go on?' },
			{ last: 'tool', contains: 'is cancelled', reply: 'Done, it is off the list.' },
			// n8n wraps the fields of a tool that needs approval.
			{
				reply: call('Cancel_order', {
					toolParameters: { input: 'order 4711' },
					hitlParameters: {},
				}),
			},
		]);
		const workflow = await activated('approve-tool-call', {
			local: await localCredential(server),
			model: server.model,
			change: { 'When chat message received': { mode: 'hostedChat' } },
		});
		const question = 'May I run **Cancel_order** with this?\n\n{"input":"order 4711"}';
		const wish = 'Please cancel order 4711.';
		expect(await pressing(workflow, wish, 'Approve')).toEqual([
			question,
			'Done, it is off the list.',
		]);
		const allowed = await lastExecution(workflow.id);
		expect(JSON.stringify(allowed.data.resultData.runData['Cancel order'])).toContain(
			'Order 4711 is cancelled.',
		);
		expect(await pressing(workflow, wish, 'Decline')).toEqual([
			question,
			'I left it as it is. How shall I go on?',
		]);
		const declined = await lastExecution(workflow.id);
		expect(declined.data.resultData.runData['Cancel order']).toBeUndefined();
		return 'approved: the order is cancelled; declined: it is not';
	},
};

describeExamples(N8N_EXAMPLES, RUNS);
