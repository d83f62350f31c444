/** The first minutes of a new user, by mouse and keyboard, as the README describes them. */
import path from 'node:path';
import { openEditor } from '../e2e/support/editor';
import type { Locator } from '../e2e/support/editor';
import {
	isOldestN8n,
	parts,
	startLlamaServer,
	startN8n,
	stopEverything,
} from '../e2e/support/playground';

const MODEL = 'Local Chat Model';
/** n8n 2.20 needs one more: it leaves the dialog of the credential open. */
const MAX_CLICKS = 10;

afterAll(stopEverything);

it('an empty n8n responds after a few clicks, without a selected model', async () => {
	// The model of `npm start`, so that the picture shows a real speed.
	const server = await startLlamaServer({
		model: parts().smolLm2,
		contextSize: 8192,
		parallel: 1,
		args: ['--chat-template-file', path.resolve('test/fixtures/chatml-tools.jinja')],
	});
	const n8n = await startN8n();
	const editor = await openEditor(n8n);
	const { page, get, node, picture, closeNode } = editor;
	let clicks = 0;
	const click = async (what: Locator) => {
		clicks++;
		await what.click();
	};
	const entry = (name: string) =>
		get('node-creator')
			.getByTestId('item-iterator-item')
			.filter({ has: page.getByText(name, { exact: true }) })
			.first();
	await page.goto(`${n8n.url}/workflow/new`);
	await click(get('canvas-plus-button'));
	await get('node-creator-search-bar').fill('AI Agent');
	await click(entry('AI Agent'));
	// n8n adds a Chat Trigger before an agent that is the first node.
	await get('node-parameters').waitFor();
	clicks++;
	await closeNode();
	const input = node('AI Agent').getByTestId('canvas-node-input-handle');
	await click(input.filter({ hasText: 'Chat Model' }).getByTestId('canvas-handle-plus'));
	await get('node-creator-search-bar').fill('llama');
	await click(entry(MODEL));

	await get('node-parameters').waitFor();
	await click(get('node-credentials-empty-state').getByRole('button').first());
	const dialog = get('credential-edit-dialog');
	await get('parameter-input-baseUrl').locator('input').fill(server.url);
	// n8n closes the dialog after a successful test; 2.20 leaves it open.
	await click(get('credential-save-button'));
	if (isOldestN8n()) {
		await dialog.getByText('Connection tested successfully').waitFor();
		const window = page.locator('.el-dialog').filter({ has: dialog });
		await click(window.locator('.el-dialog__headerbtn'));
	}
	await dialog.waitFor({ state: 'hidden' });
	expect(await get('resource-locator-model').getByTestId('rlc-input').inputValue()).toBe('');
	clicks++;
	await closeNode();

	await click(get('workflow-chat-button'));
	await click(get('chat-input'));
	await page.keyboard.type('What is the capital of Japan?');
	await page.keyboard.press('Enter');
	await get('logs-overview-status').getByText('Success').waitFor();
	expect(clicks).toBeLessThanOrEqual(MAX_CLICKS + Number(isOldestN8n()));
	await get('log-details-header').getByText('Input', { exact: true }).click();
	await get('log-details-output')
		.getByText(/^Tokens per second: \d/)
		.waitFor();
	await get('zoom-to-fit').click();
	await picture('first-answer/4-answer');
	await editor.close();
});
