/** n8n's Chat page as a new user finds it, by mouse and keyboard: enabled, a workflow published, a talk with it. */
import { reply, startLlamaServerSim } from '../simulators/llama-server';
import type { LlamaServerSim } from '../simulators/llama-server';
import { createDeferred } from '../support/waiting/deferred';
import { openEditor, WINDOW } from '../e2e/support/editor';
import type { Editor, Locator } from '../e2e/support/editor';
import { example } from '../e2e/support/examples';
import { stopEverything } from '../e2e/support/playground';
import type { N8nServer } from '../e2e/support/playground';
import { localCredential, startTheN8n } from '../e2e/support/run-examples';
import { until } from '../e2e/support/until';

const CANCEL = [{ name: 'Cancel_order', arguments: { toolParameters: { input: 'order 4711' } } }];
/** An orange square. */
const PICTURE = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFElEQVR4nGP8v5iBAQMwYYjgEwEAmxoBgYPm3mMAAAAASUVORK5CYII=',
	'base64',
);

let n8n: N8nServer;
let sim: LlamaServerSim;
let editor: Editor;

beforeAll(async () => {
	[n8n, sim] = await Promise.all([startTheN8n(), startLlamaServerSim()]);
	editor = await openEditor(n8n);
});
afterAll(async () => {
	await editor.close();
	await sim.close();
	await stopEverything();
});

/** Turns a switch on; its visible part is not the input. */
async function turnOn(field: Locator): Promise<void> {
	const input = field.getByRole('switch');
	await input.waitFor({ state: 'attached' });
	if (!(await input.isChecked())) await field.locator('.el-switch').click();
	await until(async () => await input.isChecked(), Boolean);
}

/** Opens an example in the editor and publishes it. */
async function publish(name: string, agentName: string): Promise<void> {
	const { page, get, openWorkflow, openNode, closeNode } = editor;
	const local = await localCredential(sim, 'My server');
	const workflow = example(name);
	const nodes = workflow.nodes.map((node) =>
		node.type.startsWith('CUSTOM.') ? { ...node, credentials: { localLlamaApi: local } } : node,
	);
	const { id } = await n8n.createWorkflow({ ...workflow, nodes });
	await openWorkflow(id);
	await openNode('When chat message received');
	await turnOn(get('parameter-input-availableInChat'));
	const field = get('parameter-input-agentName').locator('input');
	if ((await field.inputValue()) === '') await field.fill(agentName);
	await closeNode();
	await page.getByRole('button', { name: 'Publish' }).first().click();
	await page.getByRole('dialog').getByRole('button', { name: 'Publish' }).click();
	await page.getByText('Workflow published').first().waitFor();
}

/** Begins a conversation with a published workflow. */
async function talkTo(agentName: string): Promise<void> {
	const { page } = editor;
	await page.goto(`${n8n.url}/home/chat/workflow-agents`);
	await page.getByText(agentName, { exact: true }).first().click();
	await page.getByPlaceholder(`Message ${agentName}`).waitFor();
}

async function say(text: string): Promise<void> {
	const { page } = editor;
	await page.getByPlaceholder(/^Message /).fill(text);
	await page.keyboard.press('Enter');
}

const shown = async () =>
	await editor.page.getByRole('main').or(editor.page.locator('#content')).first().innerText();

it('is off in a new n8n, and enabled in the settings', async () => {
	const { page } = editor;
	await page.goto(`${n8n.url}/settings/chat`);
	const off = page.getByText('Chat is currently disabled.');
	await off.waitFor();
	await page.getByRole('switch').click();
	await off.waitFor({ state: 'hidden' });
	expect(await page.getByRole('switch').isChecked()).toBe(true);
});

describe('the example for a local model', () => {
	beforeAll(async () => {
		await publish('chat-with-local-model', 'Local model');
		await talkTo('Local model');
	});

	it('streams, and shows the text while it arrives', async () => {
		const { page, picture } = editor;
		const seen = createDeferred();
		sim.script(
			reply.chunks([
				'A local model runs on your own computer. Your questions, files and answers stay there, and ',
				{ wait: seen.wait },
				'nobody counts your tokens.',
			]),
		);
		await say('What is a local model good for?');
		await page.getByText('stay there').waitFor();
		await page.setViewportSize({ width: 960, height: 560 });
		await picture('chat-page');
		await page.setViewportSize(WINDOW);
		expect(await shown()).not.toContain('tokens');
		seen.open();
		await page.getByText('counts your tokens.').waitFor();
	});

	it('keeps the text that had arrived after Stop', async () => {
		const { page } = editor;
		const never = createDeferred();
		sim.script(reply.chunks(['The beginning ', { wait: never.wait }, 'and the end.']));
		await say('Tell me a story');
		await page.getByText('The beginning').waitFor();
		await page.getByRole('button').last().click();
		await page.getByTestId('chat-message-regenerate').last().waitFor();
		await page.reload();
		await page.getByText('The beginning').waitFor();
		never.open();
		expect(await shown()).not.toMatch(/could not be generated|and the end/);
	});

	it('gets an attached picture', async () => {
		const { page } = editor;
		sim.script(reply.text('An orange square.'));
		const picture = { name: 'square.png', mimeType: 'image/png', buffer: PICTURE };
		await page.locator('form input[type="file"]').setInputFiles([picture]);
		await say('What is on it?');
		await page.getByText('An orange square.').waitFor();
		expect(JSON.stringify(sim.requests.at(-1))).toContain('image_url');
	});
});

describe('the example of a tool call that a user approves', () => {
	beforeAll(async () => await publish('approve-tool-call', 'Orders'));

	const ask = async (button: 'Approve' | 'Decline', ...answer: string[]) => {
		const { page } = editor;
		sim.script(reply.toolCalls(CANCEL), ...answer.map((text) => reply.text(text)));
		await talkTo('Orders');
		await say('Please cancel order 4711.');
		await page.getByText('May I run').waitFor();
		await page.getByText(button, { exact: true }).click();
	};

	it('is run after Approve', async () => {
		await ask('Approve', 'Done, it is off the list.');
		await editor.page.getByText('Done, it is off the list.').waitFor();
		expect(JSON.stringify(sim.requests.at(-1))).toContain('4711 is cancelled');
	});

	it('is not run after Decline', async () => {
		await ask('Decline', 'Then I leave it.');
		await editor.page.getByText(/Then I leave it|declined|rejected/i).waitFor();
		expect(JSON.stringify(sim.requests.at(-1))).not.toContain('4711 is cancelled');
	});
});
