/** Results of model errors, formats and images in each version of n8n's agent. */
import { type LlamaServerSim, reply, startLlamaServerSim } from '../simulators/llama-server';
import {
	type Execution,
	llamaCredential,
	type N8nServer,
	startN8n,
	stopEverything,
} from '../e2e/support/playground';
import { agent, calculator, localModel, MANUAL, workflowOf } from '../e2e/support/workflows';

const MODEL = 'Local Chat Model';
const LANGCHAIN = '@n8n/n8n-nodes-langchain.';

interface Body {
	messages: Array<{ role: string; content: unknown }>;
	tools?: unknown[];
	response_format?: unknown;
}
type Parts = Parameters<typeof workflowOf>[1];

let n8n: N8nServer;
let sim: LlamaServerSim;

beforeAll(async () => {
	n8n = await startN8n();
});
beforeEach(async () => {
	sim = await startLlamaServerSim({ vision: true });
});
afterEach(async () => await sim.close());
afterAll(stopEverything);

const getChatRequests = () =>
	sim.requests
		.filter(({ path }) => path.endsWith('/chat/completions'))
		.map(({ body }) => body as Body);
const call = (name: string, args: string) => reply.toolCalls([{ name, arguments: args }]);

/** Runs an agent that has a model of the simulator, with its own parameters, and what else is connected. */
async function run(
	typeVersion: number,
	{ model = {}, ...parameters }: { model?: Record<string, unknown> } & Record<string, unknown>,
	parts: Parts,
): Promise<Execution> {
	const credential = await n8n.createCredential({ ...llamaCredential(sim), id: undefined });
	const created = await n8n.createWorkflow(
		workflowOf('Agent', {
			Start: MANUAL,
			Agent: { ...agent('17 times 23?', parameters), typeVersion },
			[MODEL]: localModel(credential, model),
			...parts,
		}),
	);
	return await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
}

function outputOf({ data }: Execution): unknown {
	const { runData, error } = data.resultData;
	if (error !== undefined) throw new Error(JSON.stringify(error));
	return runData.Agent!.at(-1)!.data!.main![0]![0]!.json.output;
}

/** A tool that returns its arguments. */
const order: Parts[string] = {
	type: `${LANGCHAIN}toolCode`,
	typeVersion: 1.3,
	parameters: {
		description: 'Orders articles',
		jsCode: 'return JSON.stringify(query);',
		specifyInputSchema: true,
		schemaType: 'manual',
		inputSchema: JSON.stringify({
			type: 'object',
			properties: {
				count: { type: 'integer' },
				gift: { type: 'boolean' },
				articles: { type: 'array', items: { type: 'string' } },
				note: { type: 'string' },
				price: { type: 'number' },
			},
			required: ['count'],
		}),
	},
	serves: [['ai_tool', 'Agent']],
};

const parser: Parts[string] = {
	type: `${LANGCHAIN}outputParserStructured`,
	typeVersion: 1.3,
	parameters: {
		schemaType: 'manual',
		inputSchema: '{"type":"object","properties":{"product":{"type":"number"}}}',
	},
	serves: [['ai_outputParser', 'Agent']],
};

const PIXEL =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

describe.each([1.9, 2.2, 3.1])('agent %s', (version) => {
	test.each([
		['an invented tool', call('multiply', '{"input":"17*23"}'), 'there is no tool'],
		['arguments that are no JSON', call('Calculator', '{"input":17*23}'), 'are not valid JSON'],
	])('%s is reported to the model, and the next call runs', async (_what, wrong, told) => {
		sim.script(wrong, call('Calculator', '{"input":"17*23"}'), reply.text('It is 391.'));
		const execution = await run(version, {}, { Calculator: calculator });
		expect(outputOf(execution)).toBe('It is 391.');
		expect(execution.data.resultData.runData.Calculator).toHaveLength(1);
		const [, second, third] = getChatRequests();
		expect(JSON.stringify(second!.messages)).toContain(told);
		// The next round does not contain the mistake.
		expect(JSON.stringify(third!.messages)).not.toContain(told);
		expect(JSON.stringify(third!.messages)).toContain('391');
	});

	test('a response that llama-server could not parse is requested again', async () => {
		const message =
			'Failed to parse input at pos 7: the model produced output that does not match the expected Hermes format';
		const error = { message, code: 500, type: 'server_error' };
		sim.script(reply.error(500, { error }), reply.text('It is 391.'));
		expect(outputOf(await run(version, {}, { Calculator: calculator }))).toBe('It is 391.');
	});

	test('arguments fit the schema of the tool', async () => {
		const args = {
			count: '5',
			gift: 'True',
			articles: '["tea"]',
			note: '12',
			price: null,
		};
		sim.script(call('Order', JSON.stringify(args)), reply.text('Done.'));
		expect(outputOf(await run(version, {}, { Order: order }))).toBe('Done.');
		const toolMessage = JSON.stringify(getChatRequests()[1]!.messages.at(-1)).replaceAll('\\', '');
		for (const fitted of ['"count":5', '"gift":true', '"articles":["tea"]', '"note":"12"'])
			expect(toolMessage).toContain(fitted);
		expect(toolMessage).not.toContain('"price"');
	});

	test('a response format applies to the final response', async () => {
		sim.script(
			call('Calculator', '{"input":"17*23"}'),
			reply.text('It is 391.'),
			reply.text('{"product":391}'),
		);
		const model = {
			responseFormat: 'jsonSchema',
			jsonSchema: '{"type":"object","properties":{"product":{"type":"number"}}}',
		};
		const execution = await run(version, { model }, { Calculator: calculator });
		expect(outputOf(execution)).toBe('{"product":391}');
		expect(getChatRequests().map((body) => body.response_format !== undefined)).toEqual([
			false,
			false,
			true,
		]);
	});

	test('a final response that n8n’s output parser would not find becomes its call', async () => {
		sim.script(
			call('Calculator', '{"input":"17*23"}'),
			reply.text('Here it is: {"output":{"product":391}}'),
		);
		const parameters = { hasOutputParser: true, options: { enableStreaming: false } };
		const parts = { Calculator: calculator, Parser: parser };
		expect(outputOf(await run(version, parameters, parts))).toEqual({ product: 391 });
	});

	test('an image returned by a tool is sent as an image', async () => {
		const blocks = [{ type: 'image', data: PIXEL, mimeType: 'image/png' }];
		const camera: Parts[string] = {
			type: `${LANGCHAIN}toolCode`,
			typeVersion: 1.3,
			parameters: {
				description: 'Takes a photo',
				jsCode: `return ${JSON.stringify(JSON.stringify(blocks))};`,
			},
			serves: [['ai_tool', 'Agent']],
		};
		sim.script(call('Camera', '{"input":"now"}'), reply.text('A dot.'));
		expect(outputOf(await run(version, {}, { Camera: camera }))).toBe('A dot.');
		const { messages } = getChatRequests()[1]!;
		expect(messages.at(-1)).toMatchObject({
			role: 'user',
			content: [{ type: 'text' }, { type: 'image_url' }],
		});
		expect(JSON.stringify(messages.slice(0, -1))).not.toContain(PIXEL);
	});
});
