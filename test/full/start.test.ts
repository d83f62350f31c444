import * as fs from 'node:fs';
import path from 'node:path';
import { openEditor } from '../e2e/support/editor';
import type { Editor } from '../e2e/support/editor';
import { EXAMPLES } from '../e2e/support/examples';
import { endNpmStart, npmStart } from '../e2e/support/npm-start';
import { workFolder } from '../e2e/support/playground';

let editor: Editor | undefined;

/** Files of n8n and the model server (conversations, keys, logs) that other users could read. */
function readableByOthers(data: string): string[] {
	return fs
		.readdirSync(data, { recursive: true, encoding: 'utf8' })
		.filter((name) => !name.endsWith('.lock'))
		.map((name) => ({ name, entry: fs.statSync(path.join(data, name)) }))
		.filter(({ entry }) => entry.isFile() && (entry.mode & 0o077) !== 0)
		.map(({ name, entry }) => `${name} ${(entry.mode & 0o777).toString(8)}`);
}

afterEach(async () => {
	await editor?.close();
	await endNpmStart();
});

it('npm start: prints the URL of an n8n with the examples, and a chat responds; a second start imports nothing again and keeps all changes', async () => {
	const data = path.join(workFolder('start'), 'data');
	const first = await npmStart(data);
	expect(first.output.match(/\/workflow\/\S+/g)).toHaveLength(5);

	editor = await openEditor(first, 'light', first.login);
	const { page, get } = editor;
	await page.goto(`${first.url}/home/workflows`);
	await page.getByText('Chat with local model').first().waitFor();
	await page
		.getByTestId('resources-list-item-workflow')
		.nth(EXAMPLES.length - 1)
		.waitFor();

	await page.getByText('Chat with local model').first().click();
	await get('workflow-chat-button').waitFor();
	if (!(await get('chat-input').isVisible())) await get('workflow-chat-button').click();
	await get('chat-input').fill('What is the capital of Japan?');
	await page.keyboard.press('Enter');
	await page.locator('[data-test-id="logs-overview-status"]', { hasText: 'Success' }).waitFor();
	const answer = (
		await page.locator('[data-test-id="canvas-chat-body"] .chat-message-from-bot').allInnerTexts()
	)
		.join(' ')
		.trim();
	expect(answer.length).toBeGreaterThan(5);
	// No llama-server.log: the model server of another suite may be used.
	expect(fs.readdirSync(data)).toEqual(expect.arrayContaining(['login.json', 'n8n.log']));
	expect(readableByOthers(data)).toEqual([]);
	await editor.close();
	await first.ctrlC();

	const again = await npmStart(data, '', Number(new URL(first.url).port));
	expect(again.login).toEqual(first.login);
	expect(again.output).toContain('workflows (unchanged)');
	expect(again.output).not.toContain('owner account');
	await again.ctrlC();
	await expect(fetch(first.url)).rejects.toThrow();
});
