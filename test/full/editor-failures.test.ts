/**
 * The editor after an error of a sub-node of this package, other than the chat model: the
 * toast, the panels of the root node and of the sub-node, and the mark on the canvas.
 */
import { appKey, startDifySim, type AppSpec, type DifySim } from '../simulators/dify';
import { startLlamaServerSim, type LlamaServerSim } from '../simulators/llama-server';
import { openEditor, type Editor } from '../e2e/support/editor';
import {
	llamaCredential,
	startN8n,
	stopEverything,
	type N8nServer,
} from '../e2e/support/playground';
import { localModel, MANUAL, workflowOf } from '../e2e/support/workflows';

/** The editor loads slowly on a busy machine. */
const SLOW = 900_000;
const LANGCHAIN = '@n8n/n8n-nodes-langchain.';
const NOTHING_LISTENS = 'http://127.0.0.1:9';
const SAMPLE = 'right-sample-123456';
const SERVER_DOWN = {
	title: 'Nothing is listening on 127.0.0.1:9',
	remedy: 'the port is correct.',
};
const DIFY_DOWN = { ...SERVER_DOWN, remedy: 'the port is the one of its nginx' };
const DATASET = 'd0000000-0000-4000-8000-000000000001';

type Parts = Parameters<typeof workflowOf>[1];

interface Situation {
	name: string;
	parts(): Promise<Parts>;
	/** Name of the node that calls the sub-node. */
	root: string;
	/** Name of the sub-node that fails. */
	sub: string;
	/** Beginning of the title, and a part of the suggestion. */
	title: string;
	remedy: string;
}

let n8n: N8nServer;
let editor: Editor;
let server: LlamaServerSim;
let embedding: LlamaServerSim;
let dify: DifySim;
let credentials = 0;

async function createCredential(type: string, data: Record<string, unknown>) {
	const name = `Credential ${++credentials}`;
	const { id } = await n8n.createCredential({ name, type, data });
	return { [type]: { id, name } };
}

const localCredential = async (baseUrl: string, apiKey = SAMPLE) =>
	await createCredential('localLlamaApi', {
		...llamaCredential({ url: baseUrl }).data,
		apiKey,
	});

const difyCredential = async (baseUrl: string, keyType: 'app' | 'knowledge') =>
	await createCredential('difyApi', {
		baseUrl,
		apiKey: CHATBOT.key,
		keyType,
		ignoreSslIssues: false,
	});

const CHATBOT: AppSpec = { mode: 'chat', key: appKey('chat'), name: 'Chatbot' };

beforeAll(async () => {
	[n8n, server, embedding, dify] = await Promise.all([
		startN8n(),
		startLlamaServerSim({ apiKey: SAMPLE, nCtx: 100 }),
		startLlamaServerSim({ apiKey: SAMPLE, embeddings: true }),
		startDifySim({ apps: [CHATBOT] }),
	]);
	editor = await openEditor(n8n);
}, SLOW);
afterAll(async () => {
	await editor.close();
	await Promise.all([server.close(), embedding.close(), dify.close()]);
	await stopEverything();
}, SLOW);

const CHOSEN = { __rl: true, mode: 'id', value: 'test-model' };
const NOT_CHOSEN = { __rl: true, mode: 'list', value: '' };

const start = (root: string): Parts => ({ Start: { ...MANUAL, to: [root] } });

const store = (root: string, parameters: Record<string, unknown>): Parts => ({
	[root]: {
		type: `${LANGCHAIN}vectorStoreInMemory`,
		typeVersion: 1.3,
		parameters: { memoryKey: { __rl: true, mode: 'id', value: 'failures' }, ...parameters },
	},
});

async function embeddings(url: string, model: object, stores = ['Find']): Promise<Parts> {
	return {
		Embeddings: {
			type: 'CUSTOM.localEmbeddings',
			parameters: { model, options: {} },
			credentials: await localCredential(url),
			serves: stores.map((name) => ['ai_embedding', name]),
		},
	};
}

const SITUATIONS: Situation[] = [
	{
		...SERVER_DOWN,
		name: 'Vector store, Local Embeddings: server down',
		parts: async () => ({
			...start('Find'),
			...store('Find', { mode: 'load', prompt: 'cat', topK: 3 }),
			...(await embeddings(NOTHING_LISTENS, CHOSEN)),
		}),
		root: 'Find',
		sub: 'Embeddings',
	},
	{
		...SERVER_DOWN,
		name: 'Vector store, Local Reranker: no model chosen and the server down',
		parts: async () => ({
			...start('Insert'),
			Insert: { ...store('Insert', { mode: 'insert' }).Insert!, to: ['Find'] },
			Loader: {
				type: `${LANGCHAIN}documentDefaultDataLoader`,
				typeVersion: 1.1,
				parameters: { jsonMode: 'expressionData', jsonData: 'a kitten and a cat', options: {} },
				serves: [['ai_document', 'Insert']],
			},
			...store('Find', { mode: 'load', prompt: 'cat', topK: 3, useReranker: true }),
			...(await embeddings(embedding.url, CHOSEN, ['Insert', 'Find'])),
			Reranker: {
				type: 'CUSTOM.localReranker',
				parameters: { model: NOT_CHOSEN, options: {} },
				credentials: await localCredential(NOTHING_LISTENS),
				serves: [['ai_reranker', 'Find']],
			},
		}),
		root: 'Find',
		sub: 'Reranker',
	},
	{
		...DIFY_DOWN,
		name: 'Question and answer chain, Dify Retriever: server down',
		parts: async () => ({
			...start('Questions'),
			Questions: {
				type: `${LANGCHAIN}chainRetrievalQa`,
				typeVersion: 1.6,
				parameters: { promptType: 'define', text: 'Hi', options: {} },
			},
			Model: {
				...localModel({ id: '', name: '' }, {}, 'Questions'),
				credentials: await localCredential(server.url),
			},
			'Dify Retriever': {
				type: 'CUSTOM.difyRetriever',
				parameters: { difyDatasetIds: [DATASET] },
				credentials: await difyCredential(NOTHING_LISTENS, 'knowledge'),
				serves: [['ai_retriever', 'Questions']],
			},
		}),
		root: 'Questions',
		sub: 'Dify Retriever',
	},
];

/** Creates a workflow with room between its nodes, and opens it. */
async function openSituation({ name, parts }: Situation): Promise<void> {
	const workflow = workflowOf(name, await parts());
	workflow.nodes = workflow.nodes.map((node, index) => ({
		...node,
		position: [(index % 2) * 400, Math.floor(index / 2) * 300] as [number, number],
	}));
	const { id } = await n8n.createWorkflow(workflow);
	await editor.openWorkflow(id);
}

/** The text of a node's output panel. */
async function outputOf(name: string, expected: string): Promise<string> {
	const { get, openNode, closeNode } = editor;
	await openNode(name);
	await get('output-panel').getByText(expected).first().waitFor();
	const text = (await get('output-panel').allInnerTexts()).join('\n');
	await closeNode();
	return text;
}

/** The mark of a failed node on the canvas. The second name is that of n8n 2.20. */
function markOf(name: string) {
	const failed = editor.node(name);
	const older = failed.getByTestId('node-issues');
	return failed.getByTestId('canvas-node-status-mark-error').or(older).first();
}

it.each(SITUATIONS)(
	'$name',
	async (situation) => {
		const { root, sub, title, remedy } = situation;
		const { page, get } = editor;
		await openSituation(situation);
		await get('execute-workflow-button').first().click();
		const toast = page.locator('.el-notification').first();
		await toast.getByText(title).first().waitFor();
		await markOf(sub).waitFor();
		expect(await outputOf(root, title)).toContain(remedy);
		expect(await outputOf(sub, title)).toContain(remedy);
	},
	SLOW,
);
