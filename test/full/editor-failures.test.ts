/**
 * The editor after an error of a sub-node of this package, while it is supplied and while it is called: the
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
import { agent, chatTrigger, localModel, MANUAL, workflowOf } from '../e2e/support/workflows';

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
const WRONG_KEY = { title: 'The server rejected the API key', remedy: 'Check the API Key' };
const TOO_LONG = { title: 'The prompt needs', remedy: '--ctx-size' };
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

const chain = (text: string): Parts => ({
	Chain: {
		type: `${LANGCHAIN}chainLlm`,
		typeVersion: 1.7,
		parameters: { promptType: 'define', text },
	},
});

async function chatModel(root: 'Agent' | 'Chain', url: string, key = SAMPLE, model = CHOSEN) {
	const part = localModel({ id: '', name: '' }, { model }, root);
	return { 'Local Chat Model': { ...part, credentials: await localCredential(url, key) } };
}

const ROOTS = [
	{ root: 'Agent' as const, rootNode: (text: string): Parts => ({ Agent: agent(text) }) },
	{ root: 'Chain' as const, rootNode: chain },
];

const CHAT_MODEL: Situation[] = ROOTS.flatMap(({ root, rootNode }) => [
	{
		...SERVER_DOWN,
		name: `${root}, Local Chat Model: no model chosen and the server down`,
		parts: async () => ({
			...start(root),
			...rootNode('Hi'),
			...(await chatModel(root, NOTHING_LISTENS, SAMPLE, NOT_CHOSEN)),
		}),
		root,
		sub: 'Local Chat Model',
	},
	{
		...SERVER_DOWN,
		name: `${root}, Local Chat Model: server down`,
		parts: async () => ({
			...start(root),
			...rootNode('Hi'),
			...(await chatModel(root, NOTHING_LISTENS)),
		}),
		root,
		sub: 'Local Chat Model',
	},
	{
		...WRONG_KEY,
		name: `${root}, Local Chat Model: wrong key`,
		parts: async () => ({
			...start(root),
			...rootNode('Hi'),
			...(await chatModel(root, server.url, 'wrong-sample-123456')),
		}),
		root,
		sub: 'Local Chat Model',
	},
	{
		...TOO_LONG,
		name: `${root}, Local Chat Model: prompt too long`,
		parts: async () => ({
			...start(root),
			...rootNode('word '.repeat(1000)),
			...(await chatModel(root, server.url)),
		}),
		root,
		sub: 'Local Chat Model',
	},
]);

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

const OTHERS: Situation[] = [
	...[NOT_CHOSEN, CHOSEN].map((model) => ({
		...SERVER_DOWN,
		name: `Vector store, Local Embeddings: server down, model ${model.value || 'not chosen'}`,
		parts: async () => ({
			...start('Find'),
			...store('Find', { mode: 'load', prompt: 'cat', topK: 3 }),
			...(await embeddings(NOTHING_LISTENS, model)),
		}),
		root: 'Find',
		sub: 'Embeddings',
	})),
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

it.each([...CHAT_MODEL, ...OTHERS])(
	'$name',
	async (situation) => {
		const { root, sub, title, remedy } = situation;
		const { page, get, picture } = editor;
		await openSituation(situation);
		await get('execute-workflow-button').first().click();
		const toast = page.locator('.el-notification').first();
		await toast.getByText(title).first().waitFor();
		await markOf(sub).waitFor();
		expect(await outputOf(root, title)).toContain(remedy);
		expect(await outputOf(sub, title)).toContain(remedy);
		await picture(`failures/${situation.name.replace(/\W+/g, '-').toLowerCase()}`);
	},
	SLOW,
);

it(
	'the chat shows the error and the suggestion, also without a selected model',
	async () => {
		const { page, get } = editor;
		await openSituation({
			...SERVER_DOWN,
			name: 'Chat',
			parts: async () => ({
				Chat: chatTrigger('failures-chat'),
				Agent: agent(),
				...(await chatModel('Agent', NOTHING_LISTENS, SAMPLE, NOT_CHOSEN)),
			}),
			root: 'Agent',
			sub: 'Local Chat Model',
		});
		await get('workflow-chat-button').click();
		await get('chat-input').fill('Hi');
		await page.keyboard.press('Enter');
		const bubbles = page.locator('[data-test-id="canvas-chat-body"] .chat-message-from-bot');
		await bubbles.getByText(SERVER_DOWN.title).first().waitFor();
		expect((await bubbles.allInnerTexts()).join(' ')).toContain(SERVER_DOWN.remedy);
	},
	SLOW,
);
