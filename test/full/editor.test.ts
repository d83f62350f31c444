import { NodeHelpers, type INode, type INodeTypeDescription } from 'n8n-workflow';

import { appKey, startDifySim, type AppSpec, type DifySim } from '../simulators/dify';
import { reply, startLlamaServerSim } from '../simulators/llama-server';
import { delay } from '../support/node-builtins';
import { loadScript } from '../support/scripts';
import { isWhole, openEditor, WINDOW, type Editor, type Locator } from '../e2e/support/editor';
import {
	EXAMPLES,
	example,
	postgresCredential,
	smtpCredential,
	WEBHOOK_CREDENTIALS,
	type Named,
	type Wiring,
} from '../e2e/support/examples';
import {
	llamaCredential,
	parts,
	scriptedModel,
	startLlamaServer,
	startN8n,
	stopEverything,
	type LlamaServer,
	type N8nServer,
	type Workflow,
} from '../e2e/support/playground';
import { until } from '../e2e/support/until';
import { agent, chatTrigger, localModel, MANUAL, workflowOf } from '../e2e/support/workflows';

/** The editor loads slowly when other tests run in parallel. */
const SLOW = 900_000;
const MODEL = 'Local Chat Model';
const ALIAS = 'smollm2-135m-instruct';

/** A Dify app with a form, which responds at the speed of a model. */
const SHOP: AppSpec = {
	mode: 'advanced-chat',
	key: appKey('advanced-chat'),
	name: 'Lamp shop',
	form: [
		{
			kind: 'select',
			variable: 'language',
			label: 'Language of the answer',
			options: ['English', 'Deutsch', '中文'],
			default: 'English',
		},
		{ kind: 'text-input', variable: 'order', label: 'Order number' },
	],
	reply: () => ({
		steps: splitWords(
			'Yes, you can. Lamps go back within **30 days**, as long as the bulb is in the box too:\n\n1. Open *My orders* and choose the lamp.\n2. Print the label and put it on the box.\n3. Bring it to any parcel shop. The money is back within a week.',
		).flatMap((text) => [{ text }, { wait: 150 }]),
	}),
};

/** A Dify app without a form, for screenshots of panels. */
const DESK: AppSpec = { mode: 'chat', key: appKey('chat'), name: 'Front desk' };

let n8n: N8nServer;
let server: LlamaServer;
let editor: Editor;
let working: Named;
let down: Named;
let nowhere: string;
let shop: DifySim;
let dify: Named;
let desk: Named;
let others: Wiring['others'];
const sims: Array<{ close(): Promise<void> }> = [];

const splitWords = (text: string) => text.split(/(?<=\s)/);

const credentialFor = async (target: Pick<LlamaServer, 'url'>, name: string): Promise<Named> => {
	const { id } = await n8n.createCredential({ ...llamaCredential(target), id: undefined, name });
	return { id, name };
};

const webhookCredential = async (
	credential: (typeof WEBHOOK_CREDENTIALS)[keyof typeof WEBHOOK_CREDENTIALS],
) => {
	const { id } = await n8n.createCredential(credential);
	return { id, name: credential.name };
};

const difyCredentialFor = async (
	baseUrl: string,
	name: string,
	apiKey = SHOP.key,
): Promise<Named> => {
	const { id } = await n8n.createCredential({
		name,
		type: 'difyApi',
		data: { baseUrl, apiKey, keyType: 'app', ignoreSslIssues: false },
	});
	return { id, name };
};

/** A chat with an agent and Local Chat Model, without a selected model. */
const chatWith = async (name: string, credential: Named) =>
	await n8n.createWorkflow(
		workflowOf(name, {
			Chat: chatTrigger(`${name.toLowerCase().replaceAll(' ', '-')}-chat`),
			Agent: agent(),
			[MODEL]: localModel(credential, { model: { __rl: true, mode: 'list', value: '' } }),
		}),
	);

/** This package's nodes in n8n's list, without the tool variants. */
const ownTypes = async () =>
	(await n8n.nodeTypes()).filter(
		({ name }) => name.startsWith('CUSTOM.') && !name.endsWith('Tool'),
	) as unknown as INodeTypeDescription[];

/** Name of a node's page and screenshot: `dify-app`. */
const pageOf = ({ name }: INodeTypeDescription) =>
	name.replace('CUSTOM.', '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Distance between nodes, so that a trigger's buttons do not cover other nodes. */
function spread(workflow: Workflow): Workflow {
	const nodes = workflow.nodes.map((node, at) => ({
		...node,
		position: [(at % 5) * 400, Math.floor(at / 5) * 300] as [number, number],
	}));
	return { ...workflow, nodes };
}

/** Labels of the fields of a new node, without notices and empty mappers. */
function fieldsOf(description: INodeTypeDescription): string[] {
	const { properties } = description;
	const node = { typeVersion: [description.version].flat().at(-1) } as INode;
	const values =
		NodeHelpers.getNodeParameters(properties, {}, true, false, node, description) ?? {};
	return (
		properties
			.filter(
				(property) =>
					!['hidden', 'notice', 'resourceMapper'].includes(property.type) &&
					NodeHelpers.displayParameter(values, property, node, description),
			)
			// n8n's own field of polling nodes starts with one entry, which shows its first field.
			.flatMap(({ displayName, name }) =>
				name === 'pollTimes' ? [displayName, 'Mode'] : [displayName],
			)
	);
}

beforeAll(async () => {
	const { freePortFrom } = await loadScript<{ freePortFrom(wanted: number): Promise<number> }>(
		'ports',
	);
	// Pictures show the usual ports, if they are free.
	nowhere = `http://127.0.0.1:${await freePortFrom(11_434)}`;
	[server, n8n, shop] = await Promise.all([
		startLlamaServer({
			model: parts().smolLm2,
			alias: ALIAS,
			contextSize: 8192,
			parallel: 2,
			port: await freePortFrom(9931),
		}),
		startN8n(),
		startDifySim({ apps: [SHOP, DESK] }),
	]);
	sims.push(shop);
	working = await credentialFor(server, 'My llama-server');
	down = await credentialFor({ url: nowhere }, 'Server that is down');
	dify = await difyCredentialFor(shop.url, 'My Dify app');
	desk = await difyCredentialFor(shop.url, 'My front desk', DESK.key);
	const [jwt, header] = await Promise.all(
		Object.values(WEBHOOK_CREDENTIALS).map(webhookCredential),
	);
	const postgres = postgresCredential(5432);
	const database = { id: (await n8n.createCredential(postgres)).id, name: postgres.name };
	const smtp = smtpCredential(25);
	const mail = { id: (await n8n.createCredential(smtp)).id, name: smtp.name };
	others = {
		'Ask by email': { type: 'smtp', credential: mail },
		'Send email': { type: 'smtp', credential: mail },
		Ask: { type: 'jwtAuth', credential: jwt! },
		Rate: { type: 'jwtAuth', credential: jwt! },
		'Model restarted': { type: 'httpHeaderAuth', credential: header! },
		'Dify asks': { type: 'httpHeaderAuth', credential: header! },
		'MCP Server Trigger': { type: 'httpHeaderAuth', credential: header! },
		'MCP Client': { type: 'httpHeaderAuth', credential: header! },
		'Drop old table': { type: 'postgres', credential: database },
		Store: { type: 'postgres', credential: database },
		Knowledge: { type: 'postgres', credential: database },
	};
	editor = await openEditor(n8n);
}, SLOW);

afterAll(async () => {
	await editor.close();
	await Promise.all(sims.map(async (sim) => await sim.close()));
	await stopEverything();
}, SLOW);

describe('finding the nodes', () => {
	it(
		'by their names and by their purpose',
		async () => {
			const { page, get, openWorkflow, picture } = editor;
			await page.goto(`${n8n.url}/workflow/new`);
			await get('canvas-plus-button').click();
			const expectFound = async (text: string, name: string) => {
				await get('node-creator-search-bar').fill(text);
				await get('node-creator-item-name').filter({ hasText: name }).first().waitFor();
			};
			// n8n lists triggers without the word "Trigger", with a special icon.
			for (const { displayName } of await ownTypes())
				await expectFound(displayName, displayName.replace(/ Trigger$/, ''));
			await expectFound('gpustack', MODEL);
			await expectFound('llama.cpp', MODEL);
			await expectFound('llama', MODEL);

			// In a workflow with a trigger, as when users add the next node.
			const { id } = await n8n.createWorkflow(
				workflowOf('Search', { Start: { ...MANUAL, to: [] } }),
			);
			await openWorkflow(id);
			await get('node-creator-plus-button').click();
			for (const name of [MODEL, 'Server Health']) await expectFound('llama-server', name);
			await picture('search', { of: get('node-creator'), down: [get('item-iterator-item')] });
		},
		SLOW,
	);

	it.each([
		['Local Llama', ['Chat with a model', 'Extract data from a text', 'Classify a text']],
		[
			'Dify Knowledge',
			['Retrieve from a knowledge base', 'Get many knowledge bases', 'Get a knowledge base'],
		],
		['Dify Workflow', ['Execute a workflow', 'Get a run', 'Follow a run']],
		['Dify Apps', ['Generate a text', 'Speak a text', 'Transcribe a recording']],
		[
			'Dify Conversation',
			['Get many conversations', 'Rename a conversation', 'Delete a conversation'],
		],
	])(
		'the actions of %s in the order of their use',
		async (name, first) => {
			const { get, openWorkflow, picture } = editor;
			const { id } = await n8n.createWorkflow(
				workflowOf(`Actions of ${name}`, { Start: { ...MANUAL, to: [] } }),
			);
			await openWorkflow(id);
			await get('node-creator-plus-button').click();
			await get('node-creator-search-bar').fill(name);
			const names = get('node-creator').getByTestId('node-creator-item-name');
			await names.getByText(name, { exact: true }).first().click();
			// Wait for the closing animation of the list.
			const listed = await until(
				async () => (await names.allInnerTexts()).map((text) => text.trim()),
				(texts) => texts.length >= first.length && !texts.includes(name),
			);
			expect(listed.slice(0, 3)).toEqual(first);
			const last = Math.min(listed.length, 9) - 1;
			await picture(`actions/${name.toLowerCase().replaceAll(' ', '-')}`, {
				of: get('node-creator'),
				down: [names.nth(last)],
			});
		},
		SLOW,
	);
});

describe('the panels', () => {
	it(
		'of all nodes open with an icon, every field in its order, and complete labels',
		async () => {
			const { get, node, openWorkflow, openNode, closeNode, picture } = editor;
			const types = await ownTypes();
			// An app with a form would add its own fields later.
			const credentials = { difyApi: desk, localLlamaApi: working };
			const parts = Object.fromEntries(
				types.map(({ name, displayName, version }) => [
					displayName,
					{
						type: name,
						typeVersion: [version].flat().at(-1)!,
						credentials,
					},
				]),
			);
			const { id } = await n8n.createWorkflow(spread(workflowOf('All nodes', parts)));
			await openWorkflow(id);
			for (const type of types) {
				const { displayName } = type;
				const icon = node(displayName).locator('img').first();
				expect({
					displayName,
					drawn: await icon.evaluate((image: { naturalWidth: number }) => image.naturalWidth > 0),
				}).toEqual({ displayName, drawn: true });
				await openNode(displayName);
				// Without the hidden ones of the tab "Settings". The first line is the label, then come buttons.
				const labels = get('node-parameters').getByTestId('input-label').filter({ visible: true });
				const fields = fieldsOf(type);
				const read = async () =>
					(await labels.allInnerTexts())
						.map((text) => text.trim().split('\n')[0])
						.filter((text) => text !== 'Credential');
				// Nested entries are rendered after the field itself.
				const displayedFields = await until(
					read,
					(texts) => String(texts) === String(fields),
					60_000,
				).catch(read);
				expect({ displayName, shown: displayedFields }).toEqual({ displayName, shown: fields });
				for (const label of await labels.all())
					expect({ label: await label.innerText(), whole: await isWhole(label) }).toMatchObject({
						whole: true,
					});
				await get('node-parameters').getByText('Fetching fields').waitFor({ state: 'hidden' });
				await picture(`nodes/${pageOf(type)}`);
				await closeNode();
			}
		},
		SLOW,
	);

	it(
		'of the chat model: the list from the real server',
		async () => {
			const { get, page, openWorkflow, openNode, picture } = editor;
			const { id } = await chatWith('Choose a model', working);
			await openWorkflow(id);
			await openNode(MODEL);
			await get('resource-locator-model').getByTestId('rlc-input').click();
			const entry = get('rlc-item').filter({ hasText: ALIAS });
			await entry.waitFor();
			expect(await entry.innerText()).toMatch(
				/^smollm2-135m-instruct \(135M, .*4k context, loaded\)$/,
			);
			await picture('model-list-llama-server', 'fields');
			await entry.click();
			await get('parameter-issues').waitFor({ state: 'hidden' });
			expect(await get('rlc-input').inputValue()).toContain(ALIAS);
			for (const option of ['Temperature', 'Maximum Tokens']) {
				await get('collection-parameter-add').first().click();
				await page.getByRole('option', { name: option, exact: true }).click();
			}
		},
		SLOW,
	);

	it(
		'of the chat model: few fields as added, and one list of options',
		async () => {
			const { get, page, openWorkflow, openNode, closeNode, picture } = editor;
			const { id } = await n8n.createWorkflow(
				spread(
					workflowOf('Options', {
						Chat: chatTrigger('options-chat'),
						Agent: agent(),
						[MODEL]: localModel(working, { options: { temperature: 0.3 } }),
						'As Added': {
							type: 'CUSTOM.localChatModel',
							parameters: {},
							credentials: { localLlamaApi: working },
						},
					}),
				),
			);
			await openWorkflow(id);
			const list = get('collection-parameter-add');
			await openNode('As Added');
			await list.first().waitFor();
			expect(await list.count()).toBe(1);
			const { y: top } = (await get('node-parameters').boundingBox())!;
			expect((await list.boundingBox())!.y - top).toBeLessThan(700);
			await picture('options', 'fields');
			await closeNode();

			await openNode(MODEL);
			const temperature = get('parameter-input-temperature').locator('input').first();
			expect(Number(await temperature.inputValue())).toBe(0.3);
			await list.click();
			const visibleOptions = page.getByRole('option').filter({ visible: true });
			await visibleOptions.first().waitFor();
			const optionTexts = await visibleOptions.allInnerTexts();
			// Temperature is already added.
			expect(optionTexts.slice(0, 2)).toEqual(['Maximum Tokens', 'Top P']);
			expect(optionTexts.length).toBeLessThanOrEqual(30);
			await page.keyboard.type('min');
			expect(
				await until(
					async () => await visibleOptions.allInnerTexts(),
					(texts) => texts.length < optionTexts.length,
				),
			).toContain('Sampling: Min P');
			await visibleOptions.getByText('Sampling: Min P', { exact: true }).click();
			await get('parameter-input-minP').waitFor();
		},
		SLOW,
	);

	it(
		'of the chat model: the list of a router, with what each model can do and whether it is loaded',
		async () => {
			const { get, openWorkflow, openNode, picture } = editor;
			const router = await startLlamaServerSim({
				profile: 'router',
				models: [
					{ id: 'gpt-oss-20b' },
					{ id: 'qwen2.5-vl-7b', vision: true },
					{ id: 'qwen3-14b' },
					{ id: ALIAS, status: 'loaded' },
				],
			});
			sims.push(router);
			const { id } = await chatWith(
				'Choose one of several',
				await credentialFor(router, 'My llama-server with router'),
			);
			await openWorkflow(id);
			await openNode(MODEL);
			await get('resource-locator-model').getByTestId('rlc-input').click();
			await get('rlc-item').filter({ hasText: ALIAS }).waitFor();
			const listed = await get('rlc-item').allInnerTexts();
			expect(listed.map((text) => text.trim())).toEqual([
				expect.stringMatching(/^gpt-oss-20b \(not loaded\)$/),
				expect.stringMatching(/^qwen2\.5-vl-7b \(vision, not loaded\)$/),
				expect.stringMatching(/^qwen3-14b \(not loaded\)$/),
				expect.stringMatching(/^smollm2-135m-instruct \(135M, Q4_1, 8k context, loaded\)$/),
			]);
			await picture('model-list', 'fields');
		},
		SLOW,
	);

	it(
		'of the chat model: the list of Ollama',
		async () => {
			const { get, openWorkflow, openNode, picture } = editor;
			const ollama = await startLlamaServerSim({
				profile: 'ollama',
				models: [
					{ id: 'qwen3:8b', size: '8.2B' },
					{ id: 'qwen2.5vl:7b', size: '8.3B', vision: true, status: 'unloaded' },
					{ id: 'gpt-oss:20b', size: '20.9B', status: 'unloaded' },
				],
			});
			sims.push(ollama);
			const { id } = await chatWith(
				'Choose one of Ollama',
				await credentialFor(ollama, 'My Ollama'),
			);
			await openWorkflow(id);
			await openNode(MODEL);
			await get('resource-locator-model').getByTestId('rlc-input').click();
			await get('rlc-item').filter({ hasText: 'gpt-oss:20b' }).waitFor();
			const listed = (await get('rlc-item').allInnerTexts()).map(
				(text) => text.trim().split(' ')[0],
			);
			expect([...listed].sort()).toEqual(['gpt-oss:20b', 'qwen2.5vl:7b', 'qwen3:8b']);
			await picture('model-list-ollama', 'fields');
		},
		SLOW,
	);

	it(
		'of the chat model: problem and suggestion when the server is down',
		async () => {
			const { get, openWorkflow, openNode, picture } = editor;
			const { id } = await chatWith('Server is down', down);
			await openWorkflow(id);
			await openNode(MODEL);
			await get('resource-locator-model').getByTestId('rlc-input').click();
			await get('rlc-error-message').waitFor();
			const errorText = await get('rlc-error-message').innerText();
			expect(errorText).toContain(
				`Nothing is listening on ${nowhere.slice('http://'.length)}, as seen from n8n. `,
			);
			expect(errorText).toContain('Check that the model server is running');
			// Non-breaking hyphens: the editor would remove ordinary ones.
			expect(errorText).toContain('‑‑add‑host=host.docker.internal:host‑gateway');
			// Whole, without scrolling.
			expect(await isWhole(get('rlc-error-message').locator('xpath=../..'))).toBe(true);
			await picture('model-list-error', 'fields');
		},
		SLOW,
	);

	it(
		'of Dify Chat Message: the form of the app',
		async () => {
			const { get, page, openWorkflow, openNode, picture } = editor;
			const { id } = await n8n.createWorkflow(example('dify-chat-streamed', { dify }));
			await openWorkflow(id);
			await openNode('Dify Chat Message');
			for (const label of ['Language of the answer', 'Order number']) {
				const fieldLabel = get('node-parameters').getByText(label, { exact: true });
				await fieldLabel.waitFor();
				expect(await fieldLabel.count()).toBe(1);
			}
			await page.setViewportSize({ ...WINDOW, height: 1100 });
			await picture('panel-dify-chat-message', 'fields');
			await page.setViewportSize(WINDOW);
		},
		SLOW,
	);

	it(
		'of Dify Chat Message: why the form cannot be loaded, with its previous fields and values',
		async () => {
			const { get, openWorkflow, openNode } = editor;
			const silent = await difyCredentialFor(`${nowhere}/v1`, 'Dify without a form');
			const opened = async (inputs: object) => {
				const workflow = example('dify-chat-streamed', { dify: silent });
				const nodes = workflow.nodes.map((node) =>
					node.type.endsWith('.difyChatMessage')
						? { ...node, parameters: { ...node.parameters, inputs } }
						: node,
				);
				const { id } = await n8n.createWorkflow({ ...workflow, nodes });
				await openWorkflow(id);
				await openNode('Dify Chat Message');
			};
			await opened({ mappingMode: 'defineBelow', value: null });
			const notice = get('empty-fields-notice').filter({
				hasText: `Nothing is listening on ${nowhere.slice('http://'.length)}`,
			});
			await notice.waitFor();

			const order = {
				id: 'order',
				displayName: 'Order number',
				required: false,
				display: true,
				defaultMatch: false,
				canBeUsedToMatch: false,
				type: 'string',
				removed: false,
			};
			await opened({ mappingMode: 'defineBelow', value: { order: '4711' }, schema: [order] });
			await get('node-parameters').getByText('Order number', { exact: true }).waitFor();
			expect(await get('resource-mapper-container').locator('input').last().inputValue()).toBe(
				'4711',
			);
		},
		SLOW,
	);
});

describe('Server Health', () => {
	it(
		'shows the problem of the server and a suggestion in its output',
		async () => {
			const { get, page, drag, openWorkflow, openNode, picture } = editor;
			const { id } = await n8n.createWorkflow(
				workflowOf('Is the server well?', {
					Start: { ...MANUAL, to: ['Server Health'] },
					'Server Health': {
						type: 'CUSTOM.serverHealth',
						parameters: {
							service: 'modelServer',
							operation: 'check',
							expectations: { minContext: 16_384 },
							options: {},
						},
						credentials: { localLlamaApi: working },
					},
				}),
			);
			await openWorkflow(id);
			await openNode('Server Health');
			await get('node-execute-button').click();
			const output = get('output-panel');
			await output.getByText('Unhealthy Branch (1 item)').click();
			// The buttons for other views are visible only while the pointer is over the panel.
			await output.hover();
			await output.getByTestId('radio-button-json').click();
			await output.getByText('"findings"').waitFor();
			expect((await output.innerText()).replace(/\s+/g, ' ')).toContain('--ctx-size');
			// The screenshot is about its output.
			await drag(get('panel-drag-button'), -400, 0);
			await page.setViewportSize({ ...WINDOW, height: 848 });
			await picture('server-health', [page.locator('.node-settings'), output]);
			await page.setViewportSize(WINDOW);
		},
		SLOW,
	);
});

describe('the credential', () => {
	it(
		'shows whether it works: correct, server down, correct again',
		async () => {
			const { get, page, openWorkflow, openNode, picture } = editor;
			const credential = await credentialFor({ url: nowhere }, 'My model server');
			const { id } = await chatWith('Credential', credential);
			await openWorkflow(id);
			await openNode(MODEL);
			await get('credential-edit-button').click();
			const dialog = get('credential-edit-dialog');
			await dialog.getByText('Couldn’t connect with these settings').waitFor();
			// n8n shows the raw code; the hint below the field says what it means.
			await dialog.getByText('nothing listens at this address').first().waitFor();
			// All fields, including those that n8n scrolls.
			await page.setViewportSize({ ...WINDOW, height: 1100 });
			await page.addStyleTag({ content: '.el-dialog { max-height: none !important; }' });
			const window = page.locator('.el-dialog').filter({ has: dialog });
			await picture('credential-bad', [window]);
			await get('parameter-input-baseUrl').locator('input').fill(server.url);
			await get('credential-save-button').click();
			await dialog.getByText('Connection tested successfully').waitFor();
			await picture('credential', [window]);
			await page.setViewportSize(WINDOW);
		},
		SLOW,
	);
});

/**
 * Counts the different lengths of a response within the page: polling from outside is too slow on a busy machine.
 */
const COUNT_PIECES = `{
	const shown = () =>
		[...document.querySelectorAll('[data-test-id="canvas-chat-body"] .chat-message-from-bot')]
			.map((bubble) => bubble.textContent)
			.join('')
			.trim().length;
	const lengths = (window.answerLengths = new Set());
	new MutationObserver(() => lengths.add(shown())).observe(document.body, {
		childList: true,
		subtree: true,
		characterData: true,
	});
}`;

/**
 * Sends a message in the chat below the canvas and waits for the end of the execution.
 *
 * @returns the response, and the number of lengths that it had while it was streamed
 */
async function sendMessage(
	question: string,
	{
		chatUntil = 410,
		whileTyping,
	}: { chatUntil?: number; whileTyping?: (answer: string) => Promise<void> } = {},
) {
	const { get, page } = editor;
	await makeRoom(chatUntil);
	await get('chat-input').fill(question);
	await page.evaluate(COUNT_PIECES);
	await page.keyboard.press('Enter');
	// While a response is streamed, the typing indicator is a separate bubble below it.
	const bubbles = page.locator('[data-test-id="canvas-chat-body"] .chat-message-from-bot');
	const read = async () => (await bubbles.allInnerTexts()).join('').trim();
	for (;;) {
		const status = (await get('logs-overview-status').allInnerTexts()).join();
		if (status.includes('Success')) break;
		if (status.includes('Error'))
			throw new Error(`The execution failed: ${await get('logs-panel').innerText()}`);
		await whileTyping?.(await read());
		await delay(10);
	}
	return { answer: await read(), pieces: await page.evaluate<number>('window.answerLengths.size') };
}

/** Moves the border of a panel below the canvas to a position in the window, which n8n remembers. */
async function moveBorder(around: Locator, at: 'top' | 'right', to: number) {
	const handle = around.locator(`[data-test-id="resize-handle"][data-dir="${at}"]`).first();
	const { x, y } = (await handle.boundingBox())!;
	await editor.drag(handle, at === 'right' ? to - x : 0, at === 'top' ? to - y : 0);
}

/** Makes room for chat and log below the canvas. */
async function makeRoom(chatUntil: number) {
	const { get, page } = editor;
	await page.setViewportSize({ ...WINDOW, height: 880 });
	// The browser remembers whether the panel is open.
	await get('workflow-chat-button').waitFor();
	if (!(await get('chat-input').isVisible())) await get('workflow-chat-button').click();
	await moveBorder(get('logs-panel'), 'top', 440);
	await moveBorder(get('canvas-chat').locator('xpath=..'), 'right', chatUntil);
	// Hide buttons that cover nodes.
	await page.addStyleTag({
		content: '[class*="_executionButtons_"] { visibility: hidden !important; }',
	});
	await fit();
}

/** Shows the whole workflow, with the names below the nodes, which n8n's own fit ignores. */
async function fit() {
	const { get, page } = editor;
	await get('zoom-to-fit').click();
	await get('canvas').hover({ position: { x: 120, y: 240 } });
	await page.mouse.wheel(0, 16);
}

/** Opens a node's entry in the log. */
async function openLogOf(node: Locator) {
	const { get } = editor;
	await node.click();
	await moveBorder(get('logs-overview').locator('xpath=..'), 'right', 664);
	await fit();
	return get('log-details');
}

const call = (name: string, args: object) =>
	`<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`;

describe('a chat', () => {
	afterEach(async () => await editor.page.setViewportSize(WINDOW));

	it(
		'streams the response, and the log shows tokens and speed',
		async () => {
			const { get, openWorkflow, picture } = editor;
			const options = { temperature: 0, maxTokens: 200, stop: ['\\n\\n'] };
			const { id } = await n8n.createWorkflow(
				example('chat-with-local-model', {
					local: working,
					model: ALIAS,
					change: { [MODEL]: { options } },
				}),
			);
			await openWorkflow(id);
			const { answer, pieces } = await sendMessage('Explain why the sky is blue.');
			expect(pieces).toBeGreaterThan(4);
			expect(answer.length).toBeGreaterThan(100);

			const details = await openLogOf(get('logs-overview-body').getByText(MODEL));
			expect(await details.getByTestId('log-details-header').innerText()).toMatch(/\d+ Tokens/);
			await details.getByTestId('log-details-header').getByText('Input', { exact: true }).click();
			const output = details.getByTestId('log-details-output');
			await output.hover();
			await output.getByTestId('radio-button-json').click();
			await output.getByText('tokensPerSecond').first().waitFor();
			expect((await output.innerText()).replace(/\s+/g, ' ')).toMatch(
				/"tokensPerSecond": \d+(\.\d+)?/,
			);
			await output
				.getByText('"generationInfo"')
				.first()
				.evaluate((line: { scrollIntoView(): void }) => line.scrollIntoView());
			await picture('chat-and-log');
			await details.getByTestId('log-details-header').getByText('Input', { exact: true }).click();
		},
		SLOW,
	);

	it(
		'with an agent shows every tool call in the log, with arguments and result',
		async () => {
			const { get, page, openWorkflow, picture } = editor;
			const model = await scriptedModel(
				[
					{
						last: 'tool',
						reply:
							'Yes, there are exactly 12 pieces of A-100 in stock. At 17.50 each they cost 210.00.',
					},
					{
						reply: [
							call('Stock', { input: 'A-100' }),
							call('Calculator', { input: '12 * 17.50' }),
						].join('\n'),
					},
				],
				{ contextLength: 16_384 },
			);
			const scripted = await startLlamaServer({
				model,
				alias: 'my-model',
				contextSize: 16_384,
				parallel: 1,
			});
			const { id } = await n8n.createWorkflow(
				example('agent-with-tools', {
					local: await credentialFor(scripted, 'Server with tools'),
					model: 'my-model',
				}),
			);
			await openWorkflow(id);
			const { answer } = await sendMessage(
				'Are there 12 pieces of A-100 left, and what do they cost at 17.50 each?',
			);
			expect(answer).toContain('210.00');
			const log = get('logs-overview-body');
			for (const name of ['Stock', 'Calculator'])
				await log.getByText(name, { exact: true }).waitFor();
			expect(await log.getByText(MODEL).count()).toBe(2);
			const details = await openLogOf(log.getByText('Calculator', { exact: true }));
			expect(await details.getByTestId('log-details-input').innerText()).toContain('12 * 17.50');
			expect(await details.getByTestId('log-details-output').innerText()).toContain('210');
			await openLogOf(log.getByText('Stock', { exact: true }));
			expect(await details.getByTestId('log-details-input').innerText()).toContain('A-100');
			expect(await details.getByTestId('log-details-output').innerText()).toContain(
				'12 pieces in stock',
			);
			// n8n's hint here is to let the model fill in more of the tool's fields.
			await page.addStyleTag({
				content: '[data-test-id="run-data-hints"] { display: none !important; }',
			});
			await picture('agent-tools');
		},
		SLOW,
	);

	it(
		'shows an error if the server disconnects during a tool call',
		async () => {
			const { get, page, openWorkflow, picture } = editor;
			const sim = await startLlamaServerSim();
			sims.push(sim);
			const calls = [{ name: 'Calculator', arguments: { input: '12 * 17.50' } }];
			const disconnect = { at: { event: 8 }, how: 'rst' } as const;
			sim.script(reply.toolCalls(calls, { text: 'Let me work that out. ', cut: disconnect }));
			const local = await credentialFor(sim, 'Server that breaks off');
			const { id } = await n8n.createWorkflow(
				example('agent-with-tools', { local, model: 'sim-model' }),
			);
			await openWorkflow(id);
			await makeRoom(560);
			await get('chat-input').fill('What do 12 pieces at 17.50 cost?');
			await page.keyboard.press('Enter');
			await get('logs-overview-status').getByText('Error').waitFor();
			const bubbles = page.locator('[data-test-id="canvas-chat-body"] .chat-message-from-bot');
			await bubbles.getByText('connection').first().waitFor();
			const chatText = (await bubbles.allInnerTexts()).join(' ');
			// What happened and where, then what to do.
			expect(chatText).toContain('Let me work that out.');
			expect(chatText).toMatch(/broke|lost/i);
			expect(chatText).toContain(sim.url.replace('http://', ''));
			await picture('chat-server-breaks-off');
		},
		SLOW,
	);

	it(
		'streams the response of Dify',
		async () => {
			const { openWorkflow, picture } = editor;
			const { id } = await n8n.createWorkflow(example('dify-chat-streamed', { dify }));
			await openWorkflow(id);
			const question = 'I bought a lamp three weeks ago. Can I send it back?';
			let pictured = false;
			const whileTyping = async (typed: string) => {
				if (pictured || typed.length < 80) return;
				pictured = true;
				await picture('dify-chat');
			};
			const { answer, pieces } = await sendMessage(question, { chatUntil: 560, whileTyping });
			expect(pieces).toBeGreaterThan(4);
			expect(answer).toContain('The money is back within a week.');
			expect(shop.runs.at(-1)).toMatchObject({ query: question });
		},
		SLOW,
	);
});

describe('the examples', () => {
	it.each(EXAMPLES)(
		'%s opens with every node found and complete, and every note readable',
		async (name) => {
			const { get, node, openWorkflow, picture } = editor;
			const workflow = example(name, {
				knowledgeBase: 'd0000000-0000-4000-8000-000000000001',
				local: working,
				dify,
				others,
				model: ALIAS,
			});
			const { id } = await n8n.createWorkflow(workflow);
			await openWorkflow(id);
			for (const { name: title, type } of workflow.nodes) {
				if (type === 'n8n-nodes-base.stickyNote') continue;
				await node(title).waitFor();
				// n8n shows a question mark for an unknown type.
				expect({
					title,
					unknown: await node(title).getByText('?', { exact: true }).count(),
				}).toEqual({
					title,
					unknown: 0,
				});
				expect({ title, issues: await node(title).getByTestId('node-issues').count() }).toEqual({
					title,
					issues: 0,
				});
			}
			for (const note of await get('sticky').all()) {
				expect({
					note: (await note.innerText()).slice(0, 40),
					whole: await isWhole(note.locator('> div').first()),
				}).toMatchObject({ whole: true });
			}
			await picture(`workflows/${name}`, 'canvas');
		},
		SLOW,
	);
});

describe('the dark theme', () => {
	it(
		'shows nodes and panel with visible icons',
		async () => {
			const dark = await openEditor(n8n, 'dark');
			const icons = async (workflowId: string) => {
				await dark.openWorkflow(workflowId);
				const images = dark.page.locator('[data-node-type^="CUSTOM."] .n8n-node-icon img');
				return await images.evaluateAll((elements: Array<{ src: string }>) =>
					elements.map(({ src }) => src),
				);
			};
			try {
				const types = await ownTypes();
				const parts = Object.fromEntries(
					types.map(({ name, displayName, version }) => [
						displayName,
						{
							type: name,
							typeVersion: [version].flat().at(-1)!,
							credentials: { difyApi: desk, localLlamaApi: working },
						},
					]),
				);
				const all = await icons(
					(await n8n.createWorkflow(spread(workflowOf('All nodes', parts)))).id,
				);
				expect(all).toEqual(types.map(() => expect.stringMatching(/\.dark\.svg$/) as string));
				await dark.picture('dark-nodes', 'canvas');
				for (const type of types) {
					await dark.openNode(type.displayName);
					await dark
						.get('node-parameters')
						.getByText('Fetching fields')
						.waitFor({ state: 'hidden' });
					await dark.picture(`nodes-dark/${pageOf(type)}`);
					await dark.closeNode();
				}

				const { id } = await n8n.createWorkflow(
					example('local-first-dify-fallback', { local: working, dify, model: ALIAS }),
				);
				expect(await icons(id)).toHaveLength(3);
				await dark.picture('dark-canvas', 'canvas');
				await dark.openWorkflow(id);
				await dark.openNode(MODEL);
				await dark.picture('dark-panel');
			} finally {
				await dark.close();
			}
		},
		SLOW,
	);
});
