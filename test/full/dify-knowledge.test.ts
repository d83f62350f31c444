import { waitFor } from '../lib/dify/wait-for';
import {
	addDataset,
	addDocument,
	knowledgeKey,
	startDifySim,
	type DifySim,
} from '../simulators/dify';
import { reply, startLlamaServerSim, type LlamaServerSim } from '../simulators/llama-server';
import {
	startN8n,
	stopEverything,
	type Execution,
	type N8nServer,
	type Workflow,
} from '../e2e/support/playground';
import { writeTranscript } from './support/parts';
import { agent, localModel, MANUAL, workflowOf } from '../e2e/support/workflows';

let n8n: N8nServer;
const servers = new Set<DifySim | LlamaServerSim>();

beforeAll(async () => {
	n8n = await startN8n();
});
afterEach(async () => {
	const open = [...servers];
	servers.clear();
	await Promise.all(open.map(async (server) => await server.close()));
});
afterAll(stopEverything);

interface Named {
	id: string;
	name: string;
}

function closeAfterTests<T extends DifySim | LlamaServerSim>(server: T): T {
	servers.add(server);
	return server;
}

async function credentialOf(sim: DifySim): Promise<Named> {
	return await n8n.createCredential({
		name: 'Dify knowledge',
		type: 'difyApi',
		data: { baseUrl: sim.url, apiKey: knowledgeKey(), keyType: 'knowledge' },
	});
}

async function modelOf(server: LlamaServerSim): Promise<Named> {
	return await n8n.createCredential({
		name: 'model',
		type: 'localLlamaApi',
		data: { baseUrl: server.url, apiKey: '' },
	});
}

const knowledge = (
	type: string,
	{ id, name }: Named,
	parameters: Record<string, unknown>,
	more: object = {},
) => ({
	type: `CUSTOM.${type}`,
	parameters,
	credentials: { difyApi: { id, name } },
	...more,
});

const byId = (value: string) => ({ __rl: true, mode: 'id', value });

/** Items like those of a folder of files. */
const files = (count: number, changed = -1) => ({
	type: 'n8n-nodes-base.code',
	typeVersion: 2,
	parameters: {
		jsCode: `return Array.from({ length: ${count} }, (_, at) => ({ json: { source: 'docs/' + at + '.md', text: 'Text ' + at + (at === ${changed} ? ' changed' : '') } }));`,
	},
	to: ['Sync'],
});

const syncNode = (credential: Named, datasetId: string) =>
	knowledge('difyKnowledge', credential, {
		resource: 'document',
		operation: 'sync',
		difyDatasetId: byId(datasetId),
		source: '',
		contentType: 'text',
		text: '={{ $json.text }}',
		dryRun: false,
		options: {},
	});

function itemsOf({ data }: Execution, node: string): Array<Record<string, unknown>> {
	const found = data.resultData.runData[node]?.at(-1)?.data?.main?.[0] as Array<{
		json: Record<string, unknown>;
	}>;
	return (found ?? []).map(({ json }) => json);
}

async function run(workflow: Workflow): Promise<Execution> {
	const created = await n8n.createWorkflow(workflow);
	const execution = await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
	const { status, data } = execution;
	expect({ status, error: data.resultData.error?.message }).toEqual({
		status: 'success',
		error: undefined,
	});
	return execution;
}

function transcript(name: string, items: unknown[]): void {
	writeTranscript(
		name,
		items.map((item) => ({ type: 'item', atMs: 0, content: JSON.stringify(item) })),
	);
}

const COUNT = 8;

describe('Dify Knowledge', () => {
	it('a sync that was killed half-way completes in the next run', async () => {
		const sim = closeAfterTests(await startDifySim({}));
		const base = addDataset(sim.store, { technique: 'high_quality' });
		sim.store.knowledge.steps = 2;
		const credential = await credentialOf(sim);
		const workflow = (changed?: number) =>
			workflowOf('Sync', {
				Start: { ...MANUAL, to: ['Files'] },
				Files: files(COUNT, changed),
				Sync: syncNode(credential, base.id),
			});
		const started = await n8n.createWorkflow(workflow());
		const killed = await n8n.runWorkflow(started, 'Start');
		await waitFor(() => base.documents.size === 3);
		await n8n.stopExecution(killed);
		expect((await n8n.waitForExecution(killed)).status).toBe('canceled');
		const left = base.documents.size;
		expect(left).toBeLessThan(COUNT);
		const secondSync = itemsOf(await run(workflow()), 'Sync');
		const actions = secondSync.map(({ action }) => action);
		expect(actions.slice(0, 2)).toEqual(['unchanged', 'unchanged']);
		expect(actions.slice(left)).toEqual(Array<string>(COUNT - left).fill('created'));
		expect([...base.documents.values()].map(({ name }) => name)).toEqual(
			Array.from({ length: COUNT }, (_, at) => `docs_${at}.md`),
		);
		const third = itemsOf(await run(workflow(5)), 'Sync').map(({ action }) => action);
		expect(third).toEqual(
			Array.from({ length: COUNT }, (_, at) => (at === 5 ? 'updated' : 'unchanged')),
		);
		transcript('dify-knowledge-sync', [{ killedWith: left }, ...secondSync, { third }]);
	});

	it('an agent retrieves with it as a tool, and a chain responds with the Dify Retriever', async () => {
		const sim = closeAfterTests(await startDifySim({}));
		const base = addDataset(sim.store, { name: 'Animals', technique: 'high_quality' });
		addDocument(sim.store, base, { name: 'llama.txt', text: 'The llama lives in the Andes.' });
		addDocument(sim.store, base, { name: 'moon.txt', text: 'Cheese is not found on the moon.' });
		const chat = closeAfterTests(await startLlamaServerSim());
		chat.script(
			reply.toolCalls([{ name: 'Animals', arguments: { query: 'where llama lives' } }]),
			reply.text('In the Andes.'),
			reply.text('High in the Andes.'),
		);
		const credential = await credentialOf(sim);
		const model = await modelOf(chat);
		const execution = await run(
			workflowOf('Asked', {
				Start: { ...MANUAL, to: ['Agent'] },
				Agent: { ...agent('Where does the llama live?'), to: ['Chain'] },
				Animals: knowledge(
					'difyKnowledgeTool',
					credential,
					{
						toolDescription: 'Texts about animals',
						resource: 'knowledgeBase',
						operation: 'retrieve',
						difyDatasetId: byId(base.id),
						query: "={{ $fromAI('query', 'What to look for', 'string') }}",
						topK: 3,
						simplify: true,
						options: {},
					},
					{ serves: [['ai_tool', 'Agent']] },
				),
				Chain: {
					type: '@n8n/n8n-nodes-langchain.chainRetrievalQa',
					typeVersion: 1.6,
					parameters: { promptType: 'define', text: 'where does the llama live', options: {} },
				},
				Retriever: knowledge(
					'difyRetriever',
					credential,
					{ difyDatasetIds: [base.id], topK: 3, options: {} },
					{ serves: [['ai_retriever', 'Chain']] },
				),
				Model: {
					...localModel(model),
					serves: [
						['ai_languageModel', 'Agent'],
						['ai_languageModel', 'Chain'],
					],
				},
			}),
		);
		expect(itemsOf(execution, 'Agent')).toEqual([{ output: 'In the Andes.' }]);
		expect(itemsOf(execution, 'Chain')).toEqual([{ response: 'High in the Andes.' }]);
		const [, toolAnswer, question] = chat.requests
			.filter(({ path }) => path.endsWith('/chat/completions'))
			.map(({ body }) => JSON.stringify(body));
		expect(toolAnswer).toContain('The llama lives in the Andes.');
		expect(question).toContain('The llama lives in the Andes.');
		const { runData } = execution.data.resultData;
		const logged = runData.Retriever!.at(-1)!;
		expect(JSON.stringify(logged.inputOverride)).toContain('where does the llama live');
		expect(JSON.stringify(logged.data)).toContain('llama.txt');
		expect(sim.requests.filter(({ path }) => path.endsWith('/retrieve'))).toHaveLength(2);
		transcript('dify-knowledge-agent', [
			...itemsOf(execution, 'Agent'),
			...itemsOf(execution, 'Chain'),
			{ tool: runData.Animals!.at(-1)!.data, retriever: logged.data },
		]);
	});
});
