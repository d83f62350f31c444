/** Results of model errors and formats in each version of n8n's agent. */
import { reply, startLlamaServerSim } from '../simulators/llama-server';
import type { LlamaServerSim } from '../simulators/llama-server';
import { llamaCredential, startN8n, stopEverything } from '../e2e/support/playground';
import type { Execution, N8nServer } from '../e2e/support/playground';
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
	sim = await startLlamaServerSim();
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

const parser: Parts[string] = {
	type: `${LANGCHAIN}outputParserStructured`,
	typeVersion: 1.3,
	parameters: {
		schemaType: 'manual',
		inputSchema: '{"type":"object","properties":{"product":{"type":"number"}}}',
	},
	serves: [['ai_outputParser', 'Agent']],
};

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
});
