import { NodeHelpers, type INode, type INodeTypeDescription } from 'n8n-workflow';

import { delay } from '../support/node';
import { isWhole, openEditor, type Editor } from './support/editor';
import { EXAMPLES, example, type Named } from './support/examples';
import { llamaCredential, smolLm2, startLlamaServer, startN8n, stopEverything, type LlamaServer, type N8nServer } from './support/playground';
import { agent, chatTrigger, localModel, MANUAL, workflowOf } from './support/workflows';

/** The editor loads slowly where other tests run beside it. */
const SLOW = 400_000;
const MODEL = 'Local Chat Model';
const ALIAS = 'smollm2-135m-instruct';
const NOWHERE = 'http://127.0.0.1:9';

let n8n: N8nServer;
let server: LlamaServer;
let editor: Editor;
let working: Named;
let down: Named;
let dify: Named;

const credentialFor = async (target: Pick<LlamaServer, 'url'>, name: string): Promise<Named> => {
	const { id } = await n8n.createCredential({ ...llamaCredential(target), id: undefined, name });
	return { id, name };
};

/** A chat with an agent and our model, whose model is still to be chosen. */
const chatWith = async (name: string, credential: Named) =>
	await n8n.createWorkflow(
		workflowOf(name, {
			Chat: chatTrigger(`${name.toLowerCase().replaceAll(' ', '-')}-chat`),
			Agent: agent(),
			[MODEL]: localModel(credential, { model: { __rl: true, mode: 'list', value: '' } }),
		}),
	);

/** Our nodes, as n8n lists them: without the copies that agents use as tools. */
const ownTypes = async () => (await n8n.nodeTypes()).filter(({ name }) => name.startsWith('CUSTOM.') && !name.endsWith('Tool')) as unknown as INodeTypeDescription[];

/** The fields that a new node shows, by their labels. A mapper has none until it is filled. */
function fieldsOf(description: INodeTypeDescription): string[] {
	const { properties } = description;
	const node = { typeVersion: [description.version].flat().at(-1) } as INode;
	const values = NodeHelpers.getNodeParameters(properties, {}, true, false, node, description) ?? {};
	return properties.filter((property) => !['hidden', 'resourceMapper'].includes(property.type) && NodeHelpers.displayParameter(values, property, node, description)).map(({ displayName }) => displayName);
}

beforeAll(async () => {
	[server, n8n] = await Promise.all([startLlamaServer({ model: smolLm2(), alias: ALIAS, contextSize: 8192, parallel: 2 }), startN8n()]);
	working = await credentialFor(server, 'My llama-server');
	down = await credentialFor({ url: NOWHERE }, 'Server that is down');
	dify = await n8n.createCredential({ name: 'My Dify app', type: 'difyApi', data: { baseUrl: `${NOWHERE}/v1`, apiKey: 'app-000', keyType: 'app', ignoreSslIssues: false } });
	editor = await openEditor(n8n);
}, SLOW);

afterAll(async () => {
	await editor.close();
	await stopEverything();
}, SLOW);

describe('finding the nodes', () => {
	it(
		'by their names and by what they are for',
		async () => {
			const { page, get, picture } = editor;
			await page.goto(`${n8n.url}/workflow/new`);
			await get('canvas-plus-button').click();
			const found = async (text: string, name: string) => {
				await get('node-creator-search-bar').fill(text);
				await get('node-creator-item-name').filter({ hasText: name }).first().waitFor();
			};
			for (const { displayName } of await ownTypes()) await found(displayName, displayName);
			await found('gpustack', MODEL);
			await found('llama.cpp', MODEL);
			await found('llama', MODEL);
			await picture('search');
		},
		SLOW,
	);

	it(
		'the chat model among the models of an agent, from where it opens its panel and is connected',
		async () => {
			const { get, node, openWorkflow, closeNode, page } = editor;
			const { id } = await n8n.createWorkflow(workflowOf('Agent without a model', { Chat: chatTrigger('no-model-chat'), Agent: agent() }));
			await openWorkflow(id);
			await node('Agent').getByTestId('canvas-node-input-handle').filter({ hasText: 'Chat Model' }).getByTestId('canvas-handle-plus').click();
						await get('node-creator').getByTestId('node-creator-node-item').filter({ hasText: MODEL }).click();
			await get('node-parameters').waitFor();
			await closeNode();
			await node(MODEL).waitFor();
			expect(await page.locator('[data-test-id="edge"]').count()).toBe(2);
		},
		SLOW,
	);
});

describe('the panels', () => {
	it(
		'of all nodes open with an icon, every field in its order, and every label whole',
		async () => {
			const { get, node, openWorkflow, openNode, closeNode, picture } = editor;
			const types = await ownTypes();
			const parts = Object.fromEntries(types.map(({ name, displayName, version }) => [displayName, { type: name, typeVersion: [version].flat().at(-1)! }]));
			const { id } = await n8n.createWorkflow(workflowOf('All nodes', parts));
			await openWorkflow(id);
			for (const type of types) {
				const { displayName } = type;
				const icon = node(displayName).locator('img').first();
				expect({ displayName, drawn: await icon.evaluate((image: { naturalWidth: number }) => image.naturalWidth > 0) }).toEqual({ displayName, drawn: true });
				await openNode(displayName);
				// Those of the tab "Settings" are there too, unseen; the first line is the label, buttons follow.
				const labels = get('node-parameters').getByTestId('input-label').filter({ visible: true });
				const shown = (await labels.allInnerTexts()).map((text) => text.trim().split('\n')[0]).filter((text) => text !== 'Credential');
				expect({ displayName, shown }).toEqual({ displayName, shown: fieldsOf(type) });
				for (const label of await labels.all()) expect({ label: await label.innerText(), whole: await isWhole(label) }).toMatchObject({ whole: true });
				await picture(`panel-${displayName.toLowerCase().replaceAll(' ', '-')}`, get('ndv'));
				await closeNode();
			}
		},
		SLOW,
	);

	it(
		'of the chat model: the list from the real server',
		async () => {
			const { get, openWorkflow, openNode, picture } = editor;
			const { id } = await chatWith('Choose a model', working);
			await openWorkflow(id);
			await openNode(MODEL);
			await get('resource-locator-model').getByTestId('rlc-input').click();
			const entry = get('rlc-item').filter({ hasText: ALIAS });
			await entry.waitFor();
			expect(await entry.innerText()).toMatch(/^smollm2-135m-instruct \(135M, .*4k context, loaded\)$/);
			await picture('model-list');
			await entry.click();
			await get('parameter-issues').waitFor({ state: 'hidden' });
			expect(await get('rlc-input').inputValue()).toContain(ALIAS);
		},
		SLOW,
	);

	it(
		'of the chat model: what is wrong and what to do when the server is down',
		async () => {
			const { get, openWorkflow, openNode, picture } = editor;
			const { id } = await chatWith('Server is down', down);
			await openWorkflow(id);
			await openNode(MODEL);
			await get('resource-locator-model').getByTestId('rlc-input').click();
			await get('rlc-error-message').waitFor();
			const said = await get('rlc-error-message').innerText();
			expect(said).toContain('Nothing listens on 127.0.0.1:9');
			expect(said).toContain('check that the server is running');
			// The hyphens are others: the editor would leave them out.
			expect(said).toContain('‑‑add‑host=host.docker.internal:host‑gateway');
			await picture('model-list-error');
		},
		SLOW,
	);
});

describe('Server Health', () => {
	it(
		'says in its output what is wrong with the server, and what to do',
		async () => {
			const { get, openWorkflow, openNode, picture } = editor;
			const { id } = await n8n.createWorkflow(
				workflowOf('Is the server well?', {
					Start: { ...MANUAL, to: ['Server Health'] },
					'Server Health': {
						type: 'CUSTOM.serverHealth',
						parameters: { service: 'modelServer', operation: 'check', needed: { vision: true, minContext: 16_384 }, options: {} },
						credentials: { localLlamaApi: working },
					},
				}),
			);
			await openWorkflow(id);
			await openNode('Server Health');
			await get('node-execute-button').click();
			const output = get('output-panel');
			await output.getByText('Unhealthy Branch (1 item)').click();
			// The buttons for other views show while the pointer is over the panel.
			await output.hover();
			await output.getByTestId('radio-button-json').click();
			await output.getByText('"findings"').waitFor();
			expect((await output.innerText()).replace(/\s+/g, ' ')).toContain('--mmproj');
			await picture('server-health');
		},
		SLOW,
	);
});

describe('the credential', () => {
	it(
		'says whether it works: right, nobody there, and right again',
		async () => {
			const { get, openWorkflow, openNode, picture } = editor;
			const credential = await credentialFor({ url: NOWHERE }, 'Model server in the cellar');
			const { id } = await chatWith('Credential', credential);
			await openWorkflow(id);
			await openNode(MODEL);
			await get('credential-edit-button').click();
			const dialog = get('credential-edit-dialog');
			await dialog.getByText("Couldn’t connect with these settings").waitFor();
			expect(await dialog.getByText('host.docker.internal:8080').isVisible()).toBe(true);
			await picture('credential-bad');
			await get('parameter-input-baseUrl').locator('input').fill(server.url);
			await get('credential-save-button').click();
			await dialog.getByText('Connection tested successfully').waitFor();
			await picture('credential');
		},
		SLOW,
	);
});

describe('a chat', () => {
	it(
		'types the answer piece by piece, and the log tells tokens and speed',
		async () => {
			const { get, page, openWorkflow, picture } = editor;
			const { id } = await n8n.createWorkflow(
				example('chat-with-local-model', { local: working, model: ALIAS, change: { 'Local Chat Model': { options: { temperature: 0, maxTokens: 200 } } } }),
			);
			await openWorkflow(id);
			// Whether the panel is open, the browser remembers.
			await get('workflow-chat-button').waitFor();
			if (!(await get('chat-input').isVisible())) await get('workflow-chat-button').click();
			await get('chat-input').fill('Explain why the sky is blue.');
			await page.keyboard.press('Enter');
			// While an answer is typed, the dots that say so are a bubble of their own below it.
			const bubbles = page.locator('[data-test-id="canvas-chat-body"] .chat-message-from-bot');
			const answer = async () => (await bubbles.allInnerTexts()).join('').trim();
			const lengths = new Set<number>();
			while (!(await get('logs-overview-status').allInnerTexts()).join().includes('Success')) {
				lengths.add((await answer()).length);
				if (lengths.size === 6) await picture('chat-typing');
				await delay(10);
			}
			expect(lengths.size).toBeGreaterThan(4);
			expect((await answer()).length).toBeGreaterThan(100);

			const log = get('logs-overview-body');
			await log.getByText(MODEL).click();
			const details = get('log-details');
			expect(await details.getByTestId('log-details-header').innerText()).toMatch(/\d+ Tokens/);
			const output = details.getByTestId('log-details-output');
			await output.hover();
			await output.getByTestId('radio-button-json').click();
			await output.getByText('tokensPerSecond').first().waitFor();
			expect((await output.innerText()).replace(/\s+/g, ' ')).toMatch(/"tokensPerSecond": \d+(\.\d+)?/);
			await output.getByText('promptTokensPerSecond').first().scrollIntoViewIfNeeded();
			await picture('chat-and-log');
		},
		SLOW,
	);
});

describe('the examples', () => {
	it.each(EXAMPLES)(
		'%s opens with every node known and complete, and every note whole',
		async (name) => {
			const { get, node, openWorkflow, picture } = editor;
			const workflow = example(name, { local: working, dify, model: ALIAS });
			const { id } = await n8n.createWorkflow(workflow);
			await openWorkflow(id);
			for (const { name: title, type } of workflow.nodes) {
				if (type === 'n8n-nodes-base.stickyNote') continue;
				await node(title).waitFor();
				// n8n draws a question mark for a type that it does not know.
				expect({ title, unknown: await node(title).getByText('?', { exact: true }).count() }).toEqual({ title, unknown: 0 });
				expect({ title, issues: await node(title).getByTestId('node-issues').count() }).toEqual({ title, issues: 0 });
			}
			for (const note of await get('sticky').all()) {
				expect({ note: (await note.innerText()).slice(0, 40), whole: await isWhole(note.locator('> div').first()) }).toMatchObject({ whole: true });
			}
			await picture(`workflows/${name}`, 'canvas');
		},
		SLOW,
	);
});

describe('the dark theme', () => {
	it(
		'shows nodes and panel with icons that can be seen',
		async () => {
			const dark = await openEditor(n8n, 'dark');
			try {
				const { id } = await n8n.createWorkflow(example('agent-with-tools', { local: working, model: ALIAS }));
				await dark.openWorkflow(id);
				expect(await dark.node(MODEL).locator('img').first().getAttribute('src')).toContain('.dark.svg');
				await dark.picture('dark-canvas');
				await dark.openNode(MODEL);
				await dark.picture('dark-panel');
			} finally {
				await dark.close();
			}
		},
		SLOW,
	);
});
