/** The pictures of the documents, taken in the real editor (`npm run pictures`), and what only they show. */
import type { INodeTypeDescription } from 'n8n-workflow';

import { appKey, startDifySim } from '../simulators/dify';
import type { AppSpec, DifySim } from '../simulators/dify';
import { reply, startLlamaServerSim } from '../simulators/llama-server';
import { setTimeout as delay } from 'node:timers/promises';
import { loadScript } from '../support/files/scripts';
import { isWhole, openEditor, WINDOW } from '../e2e/support/editor';
import type { Editor, Locator } from '../e2e/support/editor';
import {
	EXAMPLES,
	example,
	postgresCredential,
	smtpCredential,
	WEBHOOK_CREDENTIALS,
} from '../e2e/support/examples';
import type { Named, Wiring } from '../e2e/support/examples';
import { parts, scriptedModel, startLlamaServer, stopEverything } from '../e2e/support/playground';
import type { LlamaServer, N8nServer } from '../e2e/support/playground';
import { call, localCredential, startTheN8n, stored } from '../e2e/support/run-examples';
import { until } from '../e2e/support/until';
import { MANUAL, spread, workflowOf } from '../e2e/support/workflows';

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

const difyCredentialFor = async (baseUrl: string, name: string, apiKey = SHOP.key) =>
	await stored({
		name,
		type: 'difyApi',
		data: { baseUrl, apiKey, keyType: 'app', ignoreSslIssues: false },
	});

/** This package's nodes in n8n's list, without the tool variants. */
const ownTypes = async () =>
	(await n8n.nodeTypes()).filter(
		({ name }) => name.startsWith('CUSTOM.') && !name.endsWith('Tool'),
	) as unknown as INodeTypeDescription[];

/** Name of a node's page and screenshot: `dify-app`. */
const pageOf = ({ name }: INodeTypeDescription) =>
	name.replace('CUSTOM.', '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

beforeAll(async () => {
	const { freePortFrom } = await loadScript<{ freePortFrom(wanted: number): Promise<number> }>(
		'system/ports',
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
		startTheN8n(),
		startDifySim({ apps: [SHOP, DESK] }),
	]);
	sims.push(shop);
	working = await localCredential(server, 'My llama-server');
	down = await localCredential({ url: nowhere }, 'Server that is down');
	dify = await difyCredentialFor(shop.url, 'My Dify app');
	desk = await difyCredentialFor(shop.url, 'My front desk', DESK.key);
	const [jwt, header] = await Promise.all(Object.values(WEBHOOK_CREDENTIALS).map(stored));
	const database = await stored(postgresCredential(5432));
	const mail = await stored(smtpCredential(25));
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
});

afterAll(async () => {
	await editor.close();
	await Promise.all(sims.map(async (sim) => await sim.close()));
	await stopEverything();
});

it('the actions of a node in the order of their use', async () => {
	const { get, openWorkflow, picture } = editor;
	const name = 'Dify Conversation';
	const { id } = await n8n.createWorkflow(workflowOf('Actions', { Start: { ...MANUAL, to: [] } }));
	await openWorkflow(id);
	await get('node-creator-plus-button').click();
	await get('node-creator-search-bar').fill(name);
	const names = get('node-creator').getByTestId('node-creator-item-name');
	await names.getByText(name, { exact: true }).first().click();
	// Wait for the closing animation of the list.
	const listed = await until(
		async () => (await names.allInnerTexts()).map((text) => text.trim()),
		(texts) => texts.length >= 3 && !texts.includes(name),
	);
	expect(listed.slice(0, 3)).toEqual([
		'Get many conversations',
		'Rename a conversation',
		'Delete a conversation',
	]);
	const last = Math.min(listed.length, 9) - 1;
	await picture('actions/dify-conversation', {
		of: get('node-creator'),
		down: [names.nth(last)],
	});
});

/** Takes a picture of each node's panel. */
async function picturePanels({ get, openNode, closeNode, picture }: Editor, folder: string) {
	for (const type of await ownTypes()) {
		await openNode(type.displayName);
		await get('node-parameters').getByText('Fetching fields').waitFor({ state: 'hidden' });
		await picture(`${folder}/${pageOf(type)}`);
		await closeNode();
	}
}

/** A workflow with every node. An app with a form would add its own fields later. */
async function createAllNodes(): Promise<string> {
	const types = await ownTypes();
	const nodes = types.map(({ name, displayName, version }) => [
		displayName,
		{
			type: name,
			typeVersion: [version].flat().at(-1)!,
			credentials: { difyApi: desk, localLlamaApi: working },
		},
	]);
	const parts = Object.fromEntries(nodes) as Parameters<typeof workflowOf>[1];
	const { id } = await n8n.createWorkflow(spread(workflowOf('All nodes', parts)));
	return id;
}

describe('the panels', () => {
	it('of all nodes', async () => {
		await editor.openWorkflow(await createAllNodes());
		await picturePanels(editor, 'nodes');
		expect(await editor.get('canvas-node').getByText('?', { exact: true }).count()).toBe(0);
	});

	it('of Dify Chat Message: the form of the app', async () => {
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
	});
});

/**
 * Sends a message in the chat below the canvas and waits for the end of the execution.
 *
 * @returns the response
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
	return await read();
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

describe('a chat', () => {
	afterEach(async () => await editor.page.setViewportSize(WINDOW));

	it('with an agent shows every tool call in the log, with arguments and result', async () => {
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
				local: await localCredential(scripted, 'Server with tools'),
				model: 'my-model',
			}),
		);
		await openWorkflow(id);
		const answer = await sendMessage(
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
	});

	it('shows an error if the server disconnects during a tool call', async () => {
		const { get, page, openWorkflow, picture } = editor;
		const sim = await startLlamaServerSim();
		sims.push(sim);
		const calls = [{ name: 'Calculator', arguments: { input: '12 * 17.50' } }];
		const transport = { cut: { at: { event: 8 }, how: 'rst' } } as const;
		sim.script(reply.toolCalls(calls, { text: 'Let me work that out. ', transport }));
		const local = await localCredential(sim, 'Server that breaks off');
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
	});

	it('streams the response of Dify', async () => {
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
		const answer = await sendMessage(question, { chatUntil: 560, whileTyping });
		expect(answer).toContain('The money is back within a week.');
		expect(shop.runs.at(-1)).toMatchObject({ query: question });
	});
});

it.each(EXAMPLES)(
	'the examples: %s opens with every node found and complete, and every note readable',
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
);

it('the dark theme shows nodes with their own icons', async () => {
	const dark = await openEditor(n8n, 'dark');
	const readIcons = async (workflowId: string) => {
		await dark.openWorkflow(workflowId);
		const images = dark.page.locator('[data-node-type^="CUSTOM."] .n8n-node-icon img');
		return await images.evaluateAll((elements: Array<{ src: string }>) =>
			elements.map(({ src }) => src),
		);
	};
	try {
		const icons = await readIcons(await createAllNodes());
		expect(icons).toEqual(
			(await ownTypes()).map(() => expect.stringMatching(/\.dark\.svg$/) as string),
		);
		await picturePanels(dark, 'nodes-dark');
		const { id } = await n8n.createWorkflow(
			example('local-first-dify-fallback', { local: working, dify, model: ALIAS }),
		);
		expect(await readIcons(id)).toHaveLength(3);
	} finally {
		await dark.close();
	}
});

it('a check shows the problem of a server that is down', async () => {
	const { get, page, drag, openWorkflow, openNode, closeNode, picture } = editor;
	const created = await n8n.createWorkflow(
		workflowOf('Is the server well?', {
			Start: { ...MANUAL, to: ['Server Health'] },
			'Server Health': {
				type: 'CUSTOM.serverHealth',
				parameters: { service: 'modelServer', operation: 'check', options: {} },
				credentials: { localLlamaApi: down },
			},
		}),
	);
	await openWorkflow(created.id);
	await openNode('Server Health');
	await get('node-execute-button').click();
	const output = get('output-panel');
	await output.getByText('Unhealthy Branch (1 item)').click();
	// The buttons for other views are visible only while the pointer is over the panel.
	await output.hover();
	await output.getByTestId('radio-button-json').click();
	await output.getByText('"findings"').waitFor();
	expect(await output.innerText()).toContain('Nothing is listening on 127.0.0.1');
	await drag(get('panel-drag-button'), -400, 0);
	await page.setViewportSize({ ...WINDOW, height: 700 });
	await picture('check-down', [page.locator('.node-settings'), output]);
	await page.setViewportSize(WINDOW);
	await closeNode();
});
