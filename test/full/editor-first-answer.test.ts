/**
 * From an empty n8n to the first answer, as a new user does it: by mouse and keyboard, without choosing a model. The
 * README describes the steps.
 */
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
/** n8n 2.20 takes one more: it leaves the dialog of the credential open. */
const MOST_CLICKS = 11;

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

it('an empty workflow answers after a few clicks, and no model is chosen', async () => {
	const { page, get, node, picture, closeNode } = editor;
	let clicks = 0;
	const click = async (what: Locator) => {
		clicks++;
		await what.click();
	};
	const listed = (name: string) =>
		get('node-creator')
			.getByTestId('node-creator-node-item')
			.filter({ has: page.getByText(name, { exact: true }) })
			.first();
	const opened = async () => await get('node-parameters').waitFor();

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
	const ended = await until(
		async () => (await get('logs-overview-status').allInnerTexts()).join(),
		(status) => /Success|Error/.test(status),
	);
	expect(ended).toContain('Success');
	const bubbles = page.locator('[data-test-id="canvas-chat-body"] .chat-message-from-bot');
	expect((await bubbles.allInnerTexts()).join('').trim()).not.toBe('');
	await picture('first-answer/4-answer');
	expect(clicks).toBeLessThanOrEqual(MOST_CLICKS);
});
