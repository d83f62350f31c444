import { type LlamaServerSim, reply, startLlamaServerSim } from '../simulators/llama-server';
import {
	llamaCredential,
	startN8n,
	stopEverything,
	type Execution,
	type N8nServer,
} from '../e2e/support/playground';
import { agent, localModel, MANUAL, workflowOf } from '../e2e/support/workflows';

const STORE = '@n8n/n8n-nodes-langchain.vectorStoreInMemory';
const TEXTS = ['revenue of the year', 'a kitten and a cat', 'cat'];

let n8n: N8nServer;
const running: LlamaServerSim[] = [];

beforeAll(async () => {
	n8n = await startN8n();
});
afterEach(async () => {
	await Promise.all(running.splice(0).map(async (sim) => await sim.close()));
});
afterAll(stopEverything);

async function server(options: Parameters<typeof startLlamaServerSim>[0]) {
	const sim = await startLlamaServerSim(options);
	running.push(sim);
	const { id, name } = await n8n.createCredential({ ...llamaCredential(sim), id: undefined });
	return { sim, credentials: { localLlamaApi: { id, name } } };
}

const model = { __rl: true, mode: 'id', value: 'test-model' };
const store = (mode: 'insert' | 'load' | 'retrieve-as-tool', more: Record<string, unknown>) => ({
	type: STORE,
	typeVersion: 1.3,
	parameters: { mode, memoryKey: { __rl: true, mode: 'id', value: 'e2e_vectors' }, ...more },
});

/** Entries of a sub-node's log, by call. */
const logOf = ({ data }: Execution, node: string) => {
	const { runData, error } = data.resultData;
	if (error !== undefined) throw new Error(JSON.stringify(error));
	return runData[node]!.map((entry) => Object.values(entry.data!)[0]![0]![0]!.json);
};

it('Simple Vector Store: texts are stored, found and reranked, and no vector is in the execution data', async () => {
	const embedding = await server({ embeddings: { dimensions: 64 } });
	const ranking = await server({ rerank: true });
	const created = await n8n.createWorkflow(
		workflowOf('Vectors', {
			Start: { ...MANUAL, to: ['Texts'] },
			Texts: {
				type: 'n8n-nodes-base.set',
				typeVersion: 3.4,
				parameters: { mode: 'raw', jsonOutput: JSON.stringify({ text: TEXTS }), options: {} },
				to: ['Split'],
			},
			Split: {
				type: 'n8n-nodes-base.splitOut',
				parameters: { fieldToSplitOut: 'text', options: {} },
				to: ['Insert'],
			},
			Insert: { ...store('insert', { clearStore: true }), to: ['One'] },
			Loader: {
				type: '@n8n/n8n-nodes-langchain.documentDefaultDataLoader',
				typeVersion: 1.1,
				parameters: { jsonMode: 'expressionData', jsonData: '={{ $json.text }}', options: {} },
				serves: [['ai_document', 'Insert']],
			},
			One: { type: 'n8n-nodes-base.limit', parameters: {}, to: ['Find'] },
			Find: store('load', { prompt: 'cat', topK: 3, useReranker: true }),
			Embeddings: {
				type: 'CUSTOM.localEmbeddings',
				parameters: { model, options: {} },
				credentials: embedding.credentials,
				serves: [
					['ai_embedding', 'Insert'],
					['ai_embedding', 'Find'],
				],
			},
			Reranker: {
				type: 'CUSTOM.localReranker',
				parameters: { model, topN: 2, options: {} },
				credentials: ranking.credentials,
				serves: [['ai_reranker', 'Find']],
			},
		}),
	);
	const execution = await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
	expect(logOf(execution, 'Embeddings')).toEqual([
		expect.objectContaining({ vectors: 3, dimensions: 64, requests: 1 }),
		expect.objectContaining({ vectors: 1, dimensions: 64 }),
	]);
	expect(logOf(execution, 'Reranker')).toEqual([expect.objectContaining({ returned: 2 })]);
	const found = execution.data.resultData.runData
		.Find!.at(-1)!
		.data!.main![0]!.map(({ json }) => json);
	expect(found).toMatchObject([
		{ document: { pageContent: 'cat' }, score: expect.any(Number) as number },
		{ document: { pageContent: 'a kitten and a cat' } },
	]);
});

it('as the tool of an agent: found, reranked, passed to the model', async () => {
	const embedding = await server({ embeddings: { dimensions: 64 } });
	const ranking = await server({ rerank: true });
	const chat = await server({ nCtx: 100_000 });
	chat.sim.script(
		reply.toolCalls([{ name: 'pets', arguments: { input: 'cat' } }]),
		reply.text('A cat.'),
	);
	const created = await n8n.createWorkflow(
		workflowOf('Tool', {
			Start: { ...MANUAL, to: ['Insert'] },
			Insert: { ...store('insert', { clearStore: true }), to: ['Agent'] },
			Loader: {
				type: '@n8n/n8n-nodes-langchain.documentDefaultDataLoader',
				typeVersion: 1.1,
				parameters: { jsonMode: 'expressionData', jsonData: 'a kitten and a cat', options: {} },
				serves: [['ai_document', 'Insert']],
			},
			Agent: agent('Which pet?'),
			Model: localModel(chat.credentials.localLlamaApi),
			pets: {
				...store('retrieve-as-tool', {
					toolDescription: 'Texts about pets',
					topK: 3,
					useReranker: true,
				}),
				serves: [['ai_tool', 'Agent']],
			},
			Embeddings: {
				type: 'CUSTOM.localEmbeddings',
				parameters: { model, options: {} },
				credentials: embedding.credentials,
				serves: [
					['ai_embedding', 'Insert'],
					['ai_embedding', 'pets'],
				],
			},
			Reranker: {
				type: 'CUSTOM.localReranker',
				parameters: { model, options: {} },
				credentials: ranking.credentials,
				serves: [['ai_reranker', 'pets']],
			},
		}),
	);
	const execution = await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
	expect(logOf(execution, 'Reranker')).toEqual([expect.objectContaining({ returned: 1 })]);
	const last = chat.sim.requests.filter(({ path }) => path.endsWith('/chat/completions')).at(-1)!;
	const { messages } = last.body as { messages: Array<{ role: string; content: string }> };
	expect(messages.at(-1)).toMatchObject({
		role: 'tool',
		content: expect.stringContaining('kitten') as string,
	});
});

it('an error is that of the embeddings node, with its suggestion', async () => {
	const { credentials } = await server({});
	const created = await n8n.createWorkflow(
		workflowOf('Not for embeddings', {
			Start: { ...MANUAL, to: ['Find'] },
			Find: store('load', { prompt: 'cat', topK: 3 }),
			Embeddings: {
				type: 'CUSTOM.localEmbeddings',
				parameters: { model, options: {} },
				credentials,
				serves: [['ai_embedding', 'Find']],
			},
		}),
	);
	const { data } = await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
	expect(data.resultData.error).toMatchObject({
		message: 'The server was not started for embeddings',
		description: expect.stringContaining('--embeddings') as string,
		node: expect.objectContaining({ name: 'Embeddings' }) as object,
	});
});
