/**
 * The first minutes of a new user, by mouse and keyboard: from an empty n8n to the first response without selecting a model,
 * an example from its file, and a Dify app in the chat with a rating. The README describes the steps.
 */
import { appKey, startDifySim } from '../simulators/dify';
import { path, process } from '../support/node-builtins';
import { openEditor, type Editor, type Locator } from '../e2e/support/editor';
import {
	isOldestN8n,
	parts,
	startLlamaServer,
	startN8n,
	stopEverything,
	type LlamaServer,
	type N8nServer,
} from '../e2e/support/playground';
import { until } from '../e2e/support/until';

const MODEL = 'Local Chat Model';
/** n8n 2.20 needs one more: it leaves the dialog of the credential open. */
const MAX_CLICKS = 11;

let n8n: N8nServer;
let server: LlamaServer;
let editor: Editor;

beforeAll(async () => {
	[server, n8n] = await Promise.all([
		startLlamaServer({ model: parts().smolLm2, contextSize: 8192, parallel: 1 }),
		startN8n(),
	]);
	editor = await openEditor(n8n);
});
afterAll(async () => {
	await editor.close();
	await stopEverything();
});

const listed = (name: string) =>
	editor
		.get('node-creator')
		.getByTestId('item-iterator-item')
		.filter({ has: editor.page.getByText(name, { exact: true }) })
		.first();
const opened = async () => await editor.get('node-parameters').waitFor();

/** The responses in the chat. */
const answers = async () => {
	const bubbles = editor.page.locator('[data-test-id="canvas-chat-body"] .chat-message-from-bot');
	return (await bubbles.allInnerTexts()).join('').trim();
};

/** Waits for the end of the execution. */
async function ended(): Promise<string> {
	return await until(
		async () => (await editor.get('logs-overview-status').allInnerTexts()).join(),
		(status) => /Success|Error/.test(status),
	);
}

/** Sends a message in the chat, which the browser keeps open. */
async function sendMessage(question: string): Promise<string> {
	const { get, page } = editor;
	await get('workflow-chat-button').waitFor();
	if (!(await get('chat-input').isVisible())) await get('workflow-chat-button').click();
	await get('chat-input').fill(question);
	await page.keyboard.press('Enter');
	return await ended();
}

it('an empty workflow responds after a few clicks, without a selected model', async () => {
	const { page, get, node, picture, closeNode } = editor;
	let clicks = 0;
	const click = async (what: Locator) => {
		clicks++;
		await what.click();
	};

	await page.goto(`${n8n.url}/workflow/new`);
	await click(get('canvas-plus-button'));
	await get('node-creator-search-bar').fill('AI Agent');
	await click(listed('AI Agent'));
	// n8n adds a Chat Trigger before an agent that is the first node.
	await opened();
	clicks++;
	await closeNode();
	await click(
		node('AI Agent')
			.getByTestId('canvas-node-input-handle')
			.filter({ hasText: 'Chat Model' })
			.getByTestId('canvas-handle-plus'),
	);
	await get('node-creator-search-bar').fill('llama');
	await listed(MODEL).waitFor();
	await picture('first-answer/1-model');
	await click(listed(MODEL));

	await opened();
	await click(get('node-credentials-empty-state').getByRole('button').first());
	const dialog = get('credential-edit-dialog');
	await get('parameter-input-baseUrl').locator('input').fill(server.url);
	await picture('first-answer/2-credential');
	// n8n closes the dialog after a successful test; 2.20 leaves it open.
	await click(get('credential-save-button'));
	if (isOldestN8n()) {
		await dialog.getByText('Connection tested successfully').waitFor();
		await click(
			page.locator('.el-dialog').filter({ has: dialog }).locator('.el-dialog__headerbtn'),
		);
	}
	await dialog.waitFor({ state: 'hidden' });
	expect(await get('resource-locator-model').getByTestId('rlc-input').inputValue()).toBe('');
	clicks++;
	await closeNode();

	await click(get('workflow-chat-button'));
	await click(get('chat-input'));
	await page.keyboard.type('Why is the sky blue?');
	await picture('first-answer/3-chat');
	await page.keyboard.press('Enter');
	expect(await ended()).toContain('Success');
	expect(await answers()).not.toBe('');
	await picture('first-answer/4-answer');
	expect(clicks).toBeLessThanOrEqual(MAX_CLICKS);
});

it('an example from the file of the custom folder has every node, and responds', async () => {
	const { page, get, node } = editor;
	await page.goto(`${n8n.url}/workflow/new`);
	await get('workflow-menu').click();
	const entry = (text: string | RegExp) => page.getByRole('menuitem').filter({ hasText: text });
	await entry(/^Import$/).hover();
	const chosen = page.waitForEvent('filechooser');
	await entry('From file').click();
	const file = path.join(process.cwd(), 'dist/workflows/custom/chat-with-local-model.json');
	await (await chosen).setFiles(file);
	await node(MODEL).waitFor();
	expect(await get('canvas-node').getByText('?', { exact: true }).count()).toBe(0);
	// n8n selects the only credential when the panel is opened.
	await editor.openNode(MODEL);
	await editor.closeNode();
	expect(await sendMessage('Why is the sky blue?')).toContain('Success');
	expect(await answers()).not.toBe('');
});

it('a Dify app responds after a Chat Trigger, and its message is rated', async () => {
	const { page, get, node, closeNode, picture } = editor;
	const reply = () => ({ steps: [{ text: 'Lamps go back ' }, { text: 'within 30 days.' }] });
	const app = { mode: 'chat', key: appKey('chat'), name: 'Lamp shop', reply } as const;
	const dify = await startDifySim({ apps: [app] });
	await page.goto(`${n8n.url}/workflow/new`);
	await get('canvas-plus-button').click();
	await get('node-creator').getByText('On chat message', { exact: true }).first().click();
	await opened();
	await closeNode();
	await get('node-creator-plus-button').click();
	await get('node-creator-search-bar').fill('dify');
	await listed('Dify Chat Message').click();
	await opened();
	await get('node-credentials-empty-state').getByRole('button').first().click();
	await get('parameter-input-baseUrl').locator('input').fill(dify.url);
	await get('parameter-input-apiKey').locator('input').fill(app.key);
	await get('credential-save-button').click();
	await get('credential-edit-dialog').waitFor({ state: 'hidden' });
	await closeNode();
	expect(await sendMessage('Can I send my lamp back?')).toContain('Success');
	expect(await answers()).toBe('Lamps go back within 30 days.');

	await node('Dify Chat Message').getByTestId('canvas-handle-plus').first().click();
	await get('node-creator-search-bar').fill('feedback');
	await listed('Dify Feedback').click();
	await get('node-creator').getByText('Rate a message', { exact: true }).first().click();
	await opened();
	await get('node-execute-button').click();
	await get('output-panel').getByText('like', { exact: true }).waitFor();
	await picture('dify-feedback');
	expect(dify.requests.map(({ path: route }) => route).at(-1)).toMatch(
		/^\/messages\/.*\/feedbacks$/,
	);
	await dify.close();
});
