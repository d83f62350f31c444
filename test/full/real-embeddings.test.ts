/** Embeddings of a real llama-server in n8n's vector store: do searches find the nearest texts? */
import { type LlamaServerSim, reply, startLlamaServerSim } from '../simulators/llama-server';
import {
	llamaCredential,
	startN8n,
	stopEverything,
	type Execution,
	type N8nServer,
	type Workflow,
} from '../e2e/support/playground';
import { startEmbeddingServer, startRerankServer } from './support/parts';
import { agent, localModel, MANUAL, workflowOf } from '../e2e/support/workflows';

type Part = Parameters<typeof workflowOf>[1][string];

const CAT = 'A cat sits on the mat';
const KITTEN = 'A kitten is lying on a rug';
const REVENUE = 'Quarterly revenue grew by ten percent';
const QUESTION = 'Where does the cat sit?';

let n8n: N8nServer;
let chat: LlamaServerSim;
let credentials: Record<'embeddings' | 'reranker' | 'chat', { id: string; name: string }>;

beforeAll(async () => {
	n8n = await startN8n();
	chat = await startLlamaServerSim({ nCtx: 100_000 });
	const credentialFor = async (server: { url: string }) =>
		await n8n.createCredential({ ...llamaCredential(server), id: undefined });
	credentials = {
		embeddings: await credentialFor(await startEmbeddingServer()),
		reranker: await credentialFor(await startRerankServer()),
		chat: await credentialFor(chat),
	};
});
afterAll(async () => {
	await stopEverything();
	await chat?.close();
});

const storeNode = (mode: string, more: Record<string, unknown> = {}): Part => ({
	type: '@n8n/n8n-nodes-langchain.vectorStoreInMemory',
	typeVersion: 1.3,
	parameters: { mode, memoryKey: { __rl: true, mode: 'id', value: 'real_vectors' }, ...more },
});

const embeddings = (...stores: string[]): Part => ({
	type: 'CUSTOM.localEmbeddings',
	parameters: {
		model: { __rl: true, mode: 'id', value: 'test-embedding' },
		options: { expectedDimensions: 32 },
	},
	credentials: { localLlamaApi: credentials.embeddings },
	serves: stores.map((store) => ['ai_embedding', store]),
});

const reranker = (store: string): Part => ({
	type: 'CUSTOM.localReranker',
	parameters: { model: { __rl: true, mode: 'id', value: 'test-reranker' }, topN: 2, options: {} },
	credentials: { localLlamaApi: credentials.reranker },
	serves: [['ai_reranker', store]],
});

async function run(workflow: Workflow): Promise<Execution> {
	const created = await n8n.createWorkflow(workflow);
	const execution = await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
	const { error } = execution.data.resultData;
	if (error !== undefined) throw new Error(JSON.stringify(error));
	return execution;
}

const itemsOf = ({ data }: Execution, node: string): Array<Record<string, unknown>> =>
	Object.values(data.resultData.runData[node]!.at(-1)!.data!)[0]![0]!.map(({ json }) => json);

/** The last input of the chat model. */
const lastPrompt = (): string =>
	JSON.stringify(chat.requests.filter(({ method }) => method === 'POST').at(-1)!.body);

describe('Simple Vector Store with vectors of llama-server', () => {
	beforeAll(async () => {
		const execution = await run(
			workflowOf('Insert', {
				Start: { ...MANUAL, to: ['Texts'] },
				Texts: {
					type: 'n8n-nodes-base.set',
					typeVersion: 3.4,
					parameters: {
						mode: 'raw',
						jsonOutput: JSON.stringify({ text: [REVENUE, KITTEN, CAT] }),
						options: {},
					},
					to: ['Split'],
				},
				Split: {
					type: 'n8n-nodes-base.splitOut',
					parameters: { fieldToSplitOut: 'text', options: {} },
					to: ['Insert'],
				},
				Insert: storeNode('insert', { clearStore: true }),
				Loader: {
					type: '@n8n/n8n-nodes-langchain.documentDefaultDataLoader',
					typeVersion: 1.1,
					parameters: { jsonMode: 'expressionData', jsonData: '={{ $json.text }}', options: {} },
					serves: [['ai_document', 'Insert']],
				},
				Embeddings: embeddings('Insert'),
			}),
		);
		expect(itemsOf(execution, 'Embeddings')).toEqual([
			expect.objectContaining({
				vectors: 3,
				dimensions: 32,
				requests: 1,
				model: 'test-embedding',
			}),
		]);
		expect(JSON.stringify(execution.data).length).toBeLessThan(20_000);
	});

	it('Get Many: "cat" is closer to "kitten" than to "revenue"', async () => {
		const execution = await run(
			workflowOf('Find', {
				Start: { ...MANUAL, to: ['Find'] },
				Find: storeNode('load', { prompt: 'cat', topK: 3 }),
				Embeddings: embeddings('Find'),
			}),
		);
		const found = itemsOf(execution, 'Find') as Array<{
			document: { pageContent: string };
			score: number;
		}>;
		expect(found.map(({ document }) => document.pageContent)).toEqual([CAT, KITTEN, REVENUE]);
		const [cat, kitten, revenue] = found.map(({ score }) => score) as [number, number, number];
		expect(cat).toBeGreaterThan(kitten);
		expect(kitten).toBeGreaterThan(revenue);
	});

	it('Get Many with a reranker: its scores, its number of documents', async () => {
		const execution = await run(
			workflowOf('Rerank', {
				Start: { ...MANUAL, to: ['Find'] },
				Find: storeNode('load', { prompt: 'cat', topK: 3, useReranker: true }),
				Embeddings: embeddings('Find'),
				Reranker: reranker('Find'),
			}),
		);
		const [log] = itemsOf(execution, 'Reranker');
		expect(log).toMatchObject({ returned: 2, tokens: expect.any(Number) as number });
		const scores = itemsOf(execution, 'Find').map(({ score }) => score);
		expect(scores).toEqual([log!.best, log!.worst]);
	});

	it('as the tool of an agent, and as what a Question and Answer Chain reads', async () => {
		chat.script(
			reply.toolCalls([{ name: 'pets', arguments: { input: QUESTION } }]),
			reply.text('On the mat.'),
			reply.text('On the mat.'),
		);
		const execution = await run(
			workflowOf('Asked', {
				Start: { ...MANUAL, to: ['Agent'] },
				Agent: { ...agent(QUESTION), to: ['Chain'] },
				pets: {
					...storeNode('retrieve-as-tool', {
						toolDescription: 'Texts about pets',
						topK: 1,
					}),
					serves: [['ai_tool', 'Agent']],
				},
				Chain: {
					type: '@n8n/n8n-nodes-langchain.chainRetrievalQa',
					typeVersion: 1.6,
					parameters: { promptType: 'define', text: QUESTION, options: {} },
				},
				Retriever: {
					type: '@n8n/n8n-nodes-langchain.retrieverVectorStore',
					parameters: { topK: 2 },
					serves: [['ai_retriever', 'Chain']],
				},
				Retrieve: { ...storeNode('retrieve'), serves: [['ai_vectorStore', 'Retriever']] },
				Embeddings: embeddings('pets', 'Retrieve'),
				Model: {
					...localModel(credentials.chat),
					serves: [
						['ai_languageModel', 'Agent'],
						['ai_languageModel', 'Chain'],
					],
				},
			}),
		);
		expect(itemsOf(execution, 'Chain')).toEqual([{ response: 'On the mat.' }]);
		const [, toolAnswer] = chat.requests
			.filter(({ path }) => path.endsWith('/chat/completions'))
			.slice(-3)
			.map(({ body }) => JSON.stringify(body));
		expect(toolAnswer).toContain(CAT);
		expect(toolAnswer).not.toContain(KITTEN);
		expect(lastPrompt()).toContain(CAT);
		expect(lastPrompt()).toContain(KITTEN);
		expect(lastPrompt()).not.toContain(REVENUE);
	});
});
