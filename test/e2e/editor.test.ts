/** n8n's editor in a real browser: the panels, an error, the credential, a chat. */
import { NodeHelpers } from 'n8n-workflow';
import type { INode, INodeTypeDescription } from 'n8n-workflow';

import { appKey, startDifySim } from '../simulators/dify';
import type { DifySim } from '../simulators/dify';
import { reply, startLlamaServerSim } from '../simulators/llama-server';
import type { LlamaServerSim } from '../simulators/llama-server';
import { createDeferred } from '../support/waiting/deferred';
import { isWhole, openEditor } from './support/editor';
import type { Editor } from './support/editor';
import {
	llamaCredential,
	parts,
	startLlamaServer,
	stopEverything,
	theSharedN8n,
} from './support/playground';
import type { GateN8n, LlamaServer, Workflow } from './support/playground';
import { until } from './support/until';
import { agent, chatTrigger, localModel, MANUAL, spread, workflowOf } from './support/workflows';

const MODEL = 'Local Chat Model';
const ALIAS = 'smollm2-135m-instruct';
/** Nothing listens on this port. */
const NOWHERE = 'http://127.0.0.1:9';
const NOT_CHOSEN = { __rl: true, mode: 'list', value: '' };

interface Named {
	id: string;
	name: string;
}

let n8n: GateN8n;
let server: LlamaServer;
let sim: LlamaServerSim;
let dify: DifySim;
let editor: Editor;

beforeAll(async () => {
	n8n = await theSharedN8n();
	[server, sim, dify, editor] = await Promise.all([
		startLlamaServer({ model: parts().smolLm2, alias: ALIAS, contextSize: 8192, parallel: 1 }),
		startLlamaServerSim(),
		startDifySim({
			apps: [
				{
					mode: 'chat',
					key: appKey('chat'),
					form: [{ kind: 'text-input', variable: 'order', label: 'Order number' }],
				},
			],
		}),
		openEditor(n8n),
	]);
});
afterAll(async () => {
	await editor.close();
	await Promise.all([sim.close(), dify.close()]);
	await stopEverything();
});

let credentials = 0;
async function credentialFor(url: string): Promise<Named> {
	const name = `Server ${++credentials}`;
	const { id } = await n8n.createCredential({ ...llamaCredential({ url }), id: undefined, name });
	return { id, name };
}

async function difyCredentialFor(baseUrl: string): Promise<Named> {
	const name = `Dify ${++credentials}`;
	const data = { baseUrl, apiKey: appKey('chat'), keyType: 'app', ignoreSslIssues: false };
	const { id } = await n8n.createCredential({ name, type: 'difyApi', data });
	return { id, name };
}

async function opened(workflow: Workflow): Promise<void> {
	const { id } = await n8n.createWorkflow(spread(workflow));
	await editor.openWorkflow(id);
}

const chatWith = (name: string, credential: Named, parameters: Record<string, unknown> = {}) =>
	workflowOf(name, {
		Chat: chatTrigger(`${name.toLowerCase().replaceAll(' ', '-')}-editor`),
		Agent: agent(),
		[MODEL]: localModel(credential, parameters),
	});

/** The nodes in the folder of custom nodes, without the variants for agents. */
const ownTypes = async () =>
	(await n8n.nodeTypes()).filter(
		({ name }) => name.startsWith('CUSTOM.') && !name.endsWith('Tool'),
	) as unknown as INodeTypeDescription[];

/** Labels of the fields of a new node, without notices and empty mappers. */
function fieldsOf(description: INodeTypeDescription): string[] {
	const { properties } = description;
	const node = { typeVersion: [description.version].flat().at(-1) } as INode;
	const values =
		NodeHelpers.getNodeParameters(properties, {}, true, false, node, description) ?? {};
	const isShown = (property: (typeof properties)[number]) =>
		!['hidden', 'notice', 'resourceMapper'].includes(property.type) &&
		NodeHelpers.displayParameter(values, property, node, description);
	// n8n's own field of polling nodes starts with one entry, which shows its first field.
	return properties
		.filter(isShown)
		.flatMap(({ displayName, name }) =>
			name === 'pollTimes' ? [displayName, 'Mode'] : [displayName],
		);
}

const bubbles = () =>
	editor.page.locator('[data-test-id="canvas-chat-body"] .chat-message-from-bot');

/** Opens the chat below the canvas and sends a message. */
async function sendMessage(question: string): Promise<void> {
	const { get, page } = editor;
	await get('workflow-chat-button').waitFor();
	// The browser remembers whether the chat is open.
	if (!(await get('chat-input').isVisible())) await get('workflow-chat-button').click();
	await get('chat-input').fill(question);
	await page.keyboard.press('Enter');
}

/** Waits for the end of the execution. @returns n8n's status text */
const ended = async () =>
	await until(
		async () => (await editor.get('logs-overview-status').allInnerTexts()).join(),
		(status) => /Success|Error/.test(status),
	);

describe('the panels', () => {
	it('of all nodes open as added: an icon, every field in its order, complete labels', async () => {
		const { get, node, openNode, closeNode } = editor;
		const types = await ownTypes();
		// A Dify that responds would add the fields of its form later.
		const difyApi = await difyCredentialFor(`${NOWHERE}/v1`);
		const nodes = types.map(({ name, displayName, version }) => [
			displayName,
			{
				type: name,
				typeVersion: [version].flat().at(-1)!,
				...(name.includes('dify') ? { credentials: { difyApi } } : {}),
			},
		]);
		await opened(
			workflowOf('All nodes', Object.fromEntries(nodes) as Parameters<typeof workflowOf>[1]),
		);
		for (const type of types) {
			const { displayName } = type;
			const icon = node(displayName).locator('img').first();
			const width = async () =>
				await icon.evaluate((image: { naturalWidth: number }) => image.naturalWidth);
			await until(width, (drawn) => drawn > 0);
			await openNode(displayName);
			// Without the hidden ones of the tab "Settings". The first line is the label, then come buttons.
			const labels = get('node-parameters').getByTestId('input-label').filter({ visible: true });
			const fields = fieldsOf(type);
			const read = async () => {
				const texts = (await labels.allInnerTexts()).map((text) => text.trim().split('\n')[0]);
				return { displayName, shown: texts.filter((text) => text !== 'Credential') };
			};
			// Nested entries are rendered after the field itself.
			await until(read, ({ shown }) => String(shown) === String(fields));
			for (const label of await labels.all())
				expect({ label: await label.innerText(), whole: await isWhole(label) }).toMatchObject({
					whole: true,
				});
			await closeNode();
		}
	});

	it('the chat model lists the models of the server', async () => {
		const { get, openNode } = editor;
		await opened(chatWith('Models', await credentialFor(server.url), { model: NOT_CHOSEN }));
		await openNode(MODEL);
		await get('resource-locator-model').getByTestId('rlc-input').click();
		const entry = get('rlc-item').filter({ hasText: ALIAS });
		await entry.waitFor();
		expect(await entry.innerText()).toMatch(/context, loaded\)$/);
		await entry.click();
		expect(await get('rlc-input').inputValue()).toContain(ALIAS);
	});

	it('the chat model shows the problem and a suggestion if the server is down', async () => {
		const { get, openNode } = editor;
		await opened(chatWith('No models', await credentialFor(NOWHERE), { model: NOT_CHOSEN }));
		await openNode(MODEL);
		await get('resource-locator-model').getByTestId('rlc-input').click();
		await get('rlc-error-message').waitFor();
		const errorText = await get('rlc-error-message').innerText();
		expect(errorText).toContain(
			`Nothing is listening on ${new URL(NOWHERE).host}, as seen from n8n. `,
		);
		expect(errorText).toContain('Check that the model server is running');
	});

	it('Dify Chat Message shows the form of the app', async () => {
		const { get, openNode } = editor;
		const type = 'CUSTOM.difyChatMessage';
		const difyApi = await difyCredentialFor(dify.url);
		const node = { type, credentials: { difyApi } };
		const chat = chatTrigger('form-editor', 'Dify Chat Message');
		await opened(workflowOf('Form', { Chat: chat, 'Dify Chat Message': node }));
		await openNode('Dify Chat Message');
		const field = get('node-parameters').getByText('Order number', { exact: true });
		await field.waitFor();
		expect(await field.count()).toBe(1);
	});
});

it('the credential: shows whether it works: server down, then corrected', async () => {
	const { get, openNode } = editor;
	await opened(chatWith('Credential', await credentialFor(NOWHERE)));
	await openNode(MODEL);
	await get('credential-edit-button').click();
	const dialog = get('credential-edit-dialog');
	await dialog.getByText('Couldn’t connect with these settings').waitFor();
	const hint = dialog.getByText('If n8n runs in Docker').first();
	expect(await hint.isVisible()).toBe(true);
	// The code is behind n8n's button for details, and the description of the field explains it.
	expect(await dialog.getByText('ECONNREFUSED').first().isVisible()).toBe(false);
	await get('parameter-input-baseUrl').locator('input').fill(server.url);
	await get('credential-save-button').click();
	await dialog.getByText('Connection tested successfully').waitFor();
});

describe('an error of a sub-node', () => {
	const SERVER_DOWN = {
		title: 'Nothing is listening on 127.0.0.1:9',
		remedy: 'the port is correct.',
	};

	/** Runs the open workflow and reads the error at both nodes. */
	async function expectError(root: string, subNode: string): Promise<void> {
		const { page, get, node, openNode, closeNode } = editor;
		await get('execute-workflow-button').first().click();
		const toast = page.locator('.el-notification').first();
		await toast.getByText(SERVER_DOWN.title).first().waitFor();
		// The second name is that of n8n 2.20.
		const mark = node(subNode).getByTestId('canvas-node-status-mark-error');
		await mark.or(node(subNode).getByTestId('node-issues')).first().waitFor();
		for (const name of [root, subNode]) {
			await openNode(name);
			await get('output-panel').getByText(SERVER_DOWN.title).first().waitFor();
			expect((await get('output-panel').allInnerTexts()).join()).toContain(SERVER_DOWN.remedy);
			await closeNode();
		}
	}

	it('is shown in a toast, on the canvas, and in the panels of the agent and of the model', async () => {
		await opened(
			workflowOf('Failure', {
				Start: MANUAL,
				Agent: agent('Hi'),
				[MODEL]: localModel(await credentialFor(NOWHERE)),
			}),
		);
		await expectError('Agent', MODEL);
	});

	it('is shown in the same places if the sub-node fails before it is used', async () => {
		const localLlamaApi = await credentialFor(NOWHERE);
		const find = { mode: 'load', prompt: 'cat', memoryKey: { __rl: true, mode: 'id', value: 'a' } };
		await opened(
			workflowOf('Failure of embeddings', {
				Start: { ...MANUAL, to: ['Find'] },
				Find: {
					type: '@n8n/n8n-nodes-langchain.vectorStoreInMemory',
					typeVersion: 1.3,
					parameters: find,
				},
				Embeddings: {
					type: 'CUSTOM.localEmbeddings',
					parameters: { model: NOT_CHOSEN },
					credentials: { localLlamaApi },
					serves: [['ai_embedding', 'Find']],
				},
			}),
		);
		await expectError('Find', 'Embeddings');
	});

	it('is shown in the chat', async () => {
		const credential = await credentialFor(NOWHERE);
		await opened(chatWith('Failed chat', credential, { model: NOT_CHOSEN }));
		await sendMessage('Hi');
		await bubbles().getByText(SERVER_DOWN.title).first().waitFor();
		expect((await bubbles().allInnerTexts()).join()).toContain(SERVER_DOWN.remedy);
	});
});

describe('a chat', () => {
	it('streams the response', async () => {
		const displayed = createDeferred();
		sim.script(reply.chunks(['The first words ', { wait: displayed.wait }, 'and the rest.']));
		await opened(chatWith('Typed', await credentialFor(sim.url)));
		await sendMessage('Tell me a story');
		await bubbles().getByText('The first words').waitFor();
		displayed.open();
		expect(await ended()).toContain('Success');
		expect((await bubbles().allInnerTexts()).join()).toContain('The first words and the rest.');
	});

	it('can be built: the chat model is found among the models of an agent, opens and is connected', async () => {
		const { get, node, page, closeNode } = editor;
		await opened(workflowOf('No model', { Chat: chatTrigger('no-model-editor'), Agent: agent() }));
		const input = node('Agent').getByTestId('canvas-node-input-handle');
		await input.filter({ hasText: 'Chat Model' }).getByTestId('canvas-handle-plus').click();
		await get('node-creator-search-bar').fill('llama');
		const listed = get('node-creator').getByTestId('node-creator-node-item');
		await listed.filter({ hasText: MODEL }).first().click();
		const add = page.getByRole('button', { name: 'Add to workflow' });
		await get('node-parameters').or(add).waitFor();
		// n8n 2.20 first shows the details of an installed package.
		if (await add.isVisible()) await add.click();
		await get('node-parameters').waitFor();
		await closeNode();
		await node(MODEL).waitFor();
		const edges = async () => await page.locator('[data-test-id="edge"]').count();
		expect(await until(edges, (count) => count > 1)).toBe(2);
	});
});
