import { reply, startLlamaServerSim } from '../simulators/llama-server';
import type { LlamaServerSim, WireRequest } from '../simulators/llama-server';
import { llamaCredential, startN8n, stopEverything } from '../e2e/support/playground';
import type { Execution, ModelCall, N8nServer } from '../e2e/support/playground';
import {
	agent,
	calculator,
	localModel,
	MANUAL,
	textItems,
	workflowOf,
} from '../e2e/support/workflows';

const MODEL = 'Local Chat Model';
const LANGCHAIN = '@n8n/n8n-nodes-langchain.';

interface Body {
	messages: Array<{ role: string; content: string }>;
	tools?: Array<{ function: { name: string } }>;
}
type Parts = Parameters<typeof workflowOf>[1];

let n8n: N8nServer;
let sim: LlamaServerSim;

beforeAll(async () => {
	n8n = await startN8n();
});
beforeEach(async () => {
	sim = await startLlamaServerSim({ nCtx: 1_000_000, slots: 8 });
});
afterEach(async () => await sim.close());
afterAll(stopEverything);

const bodyOf = ({ body }: WireRequest) => body as Body;
const getChatRequests = () =>
	sim.requests.filter(({ path }) => path.endsWith('/chat/completions')).map(bodyOf);

/** Runs a workflow whose model requests are answered by `answer`. */
async function run(
	answer: (request: WireRequest) => ReturnType<typeof reply.text>,
	build: (credential: { id: string; name: string }) => Parts,
): Promise<Execution> {
	sim.script(...Array.from({ length: 20 }, () => answer));
	const credential = await n8n.createCredential({ ...llamaCredential(sim), id: undefined });
	const created = await n8n.createWorkflow(workflowOf('Root node', build(credential)));
	return await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
}

/** Items of a node, by output. */
function outputsOf({ data }: Execution, node = 'Root'): unknown[][] {
	const { runData, error } = data.resultData;
	if (error !== undefined) throw new Error(JSON.stringify(error));
	return runData[node]!.at(-1)!.data!.main!.map((output) => (output ?? []).map(({ json }) => json));
}

/** Checks that every call is in the model's log, with the server's token counts. */
function expectExactCounts({ data }: Execution): void {
	const calls = data.resultData.runData[MODEL]!.map(
		(one) => one.data!.ai_languageModel![0]![0]!.json as ModelCall,
	);
	expect(calls).toHaveLength(getChatRequests().length);
	for (const { tokenUsage } of calls)
		expect(tokenUsage).toMatchObject({
			promptTokens: expect.any(Number) as number,
			completionTokens: expect.any(Number) as number,
		});
}

const root = (type: string, typeVersion: number, parameters: Record<string, unknown>): Parts => ({
	Root: { type: LANGCHAIN + type, typeVersion, parameters },
});

describe('n8n’s own root nodes', () => {
	it('Basic LLM Chain, three concurrent items', async () => {
		const execution = await run(
			(request) => reply.text(`About ${bodyOf(request).messages.at(-1)!.content}`),
			(credential) => ({
				...textItems(['one', 'two', 'three'], 'Root'),
				...root('chainLlm', 1.7, {
					promptType: 'define',
					text: '={{ $json.text }}',
					batching: { batchSize: 3 },
				}),
				[MODEL]: localModel(credential, {}, 'Root'),
			}),
		);
		expect(outputsOf(execution)).toEqual([
			[{ text: 'About one' }, { text: 'About two' }, { text: 'About three' }],
		]);
		expectExactCounts(execution);
	});

	it('Information Extractor', async () => {
		const attributes = [
			{ name: 'name', description: 'Name' },
			{ name: 'age', type: 'number', description: 'Age' },
		];
		const execution = await run(
			() => reply.reasoning('A name and a number.', '```json\n{"name":"Ada","age":36}\n```'),
			(credential) => ({
				...textItems(['Ada is 36'], 'Root'),
				...root('informationExtractor', 1.2, {
					text: '={{ $json.text }}',
					schemaType: 'fromAttributes',
					attributes: { attributes },
				}),
				[MODEL]: localModel(credential, {}, 'Root'),
			}),
		);
		expect(outputsOf(execution)).toEqual([[{ output: { name: 'Ada', age: 36 } }]]);
		expectExactCounts(execution);
	});

	it('Summarization Chain, which counts tokens without the network', async () => {
		const execution = await run(
			() => reply.text('Short.'),
			(credential) => ({
				...textItems(['Lorem ipsum dolor sit amet. '.repeat(100)], 'Root'),
				...root('chainSummarization', 2.1, {
					options: { summarizationMethodAndPrompts: { values: { summarizationMethod: 'refine' } } },
				}),
				[MODEL]: localModel(credential, {}, 'Root'),
			}),
		);
		expect(outputsOf(execution)).toEqual([[{ output: { output_text: 'Short.' } }]]);
		expect(getChatRequests().length).toBeGreaterThan(1);
		expectExactCounts(execution);
	});

	it('three agents with one model and one memory, which keeps calls and their results', async () => {
		const execution = await run(
			(request) => {
				const last = bodyOf(request).messages.at(-1)!;
				if (last.role === 'tool') return reply.text('It is 391.');
				return last.content.includes('17')
					? reply.toolCalls([{ name: 'Calculator', arguments: { input: '17*23' } }], {
							text: 'Let me see.',
						})
					: reply.text('391, as I said.');
			},
			(credential) => ({
				Start: MANUAL,
				Agent: { ...agent('17 times 23?'), to: ['Second'] },
				Second: { ...agent('17 times 23 again?'), to: ['Third'] },
				Third: agent('What was it?'),
				Memory: {
					type: `${LANGCHAIN}memoryBufferWindow`,
					typeVersion: 1.3,
					parameters: { sessionIdType: 'customKey', sessionKey: 'three agents' },
					serves: [
						['ai_memory', 'Agent'],
						['ai_memory', 'Second'],
						['ai_memory', 'Third'],
					],
				},
				Calculator: {
					...calculator,
					serves: [
						['ai_tool', 'Agent'],
						['ai_tool', 'Second'],
					],
				},
				[MODEL]: {
					...localModel(credential),
					serves: [
						['ai_languageModel', 'Agent'],
						['ai_languageModel', 'Second'],
						['ai_languageModel', 'Third'],
					],
				},
			}),
		);
		expect(outputsOf(execution, 'Third')).toEqual([[{ output: '391, as I said.' }]]);
		const turn = ['user', 'assistant', 'tool', 'assistant'];
		expect(
			getChatRequests()
				.at(-1)!
				.messages.map(({ role }) => role),
		).toEqual([...turn, ...turn, 'user']);
		expectExactCounts(execution);
	});
});
