/** The first screens after `npm start`. */
import { reply, startLlamaServerSim } from '../simulators/llama-server';
import type { LlamaServerSim } from '../simulators/llama-server';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { openEditor } from './support/editor';
import type { Editor } from './support/editor';
import { EXAMPLES, example } from './support/examples';
import { endNpmStart, npmStart } from './support/npm-start';
import type { Started } from './support/npm-start';
import { workFolder } from './support/playground';
import { until } from './support/until';

const FIRST = [
	'Chat with local model',
	'Agent with tools',
	'Summarize documents',
	'Extract invoices',
	'Classify and route email',
];

let sim: LlamaServerSim;
let started: Started;
let editor: Editor;

beforeAll(async () => {
	sim = await startLlamaServerSim();
	started = await npmStart(path.join(workFolder('first-screen'), 'data'), sim.url);
	editor = await openEditor(started, 'light', started.login);
});
afterAll(async () => {
	await editor?.close();
	await endNpmStart();
	await sim.close();
});

test('the terminal and Home begin with the five examples that run, all with tags', async () => {
	const { page } = editor;
	const printed = [...started.output.matchAll(/\/workflow\/\S+ {2}(.+)/g)].map(([, name]) => name);
	expect(printed).toEqual(FIRST);

	await page.goto(`${started.url}/home/workflows`);
	const cards = page.getByTestId('resources-list-item-workflow');
	// n8n loads the list again soon after it has displayed it. A card without a layout has one line.
	const texts = await until(
		async () => (await cards.allInnerTexts()).map((text) => text.split('\n')),
		(all) => all.length >= EXAMPLES.length && all.every(({ length }) => length > 1),
	);
	const names = EXAMPLES.map((name) => example(name).name);
	expect(texts.slice(0, FIRST.length).map(([name]) => name)).toEqual(FIRST);
	expect(texts.map(([name]) => name).sort()).toEqual([...names].sort());
	const needs = texts.map((lines) => lines.find((line) => /^(?:Runs here|Needs .+)$/.test(line)));
	expect(needs.slice(0, FIRST.length)).toEqual(FIRST.map(() => 'Runs here'));
	expect(needs.slice(FIRST.length)).toEqual(
		texts.slice(FIRST.length).map(() => expect.stringMatching(/^Needs /) as string),
	);
});

test('the first example has its credential, and responds to a message', async () => {
	const { page, get } = editor;
	sim.script(reply.text('Hello from the first screen.'));
	await page.goto(`${started.url}/home/workflows`);
	await page.getByText(FIRST[0]!, { exact: true }).first().click();
	await get('canvas-node').first().waitFor();
	expect(await get('node-issues').count()).toBe(0);
	await get('workflow-chat-button').waitFor();
	if (!(await get('chat-input').isVisible())) await get('workflow-chat-button').click();
	await get('chat-input').fill('What is the capital of Japan?');
	await page.keyboard.press('Enter');
	await page
		.locator('[data-test-id="canvas-chat-body"] .chat-message-from-bot')
		.getByText('Hello from the first screen.')
		.waitFor();
	// The first view of the model's log.
	await get('logs-overview-body').getByText('Local Chat Model').click();
	await get('log-details-output')
		.getByText(/^Tokens per second: \d/)
		.waitFor();
});

test('an example that is pasted into an empty canvas has its nodes, and none that n8n does not know', async () => {
	const { page, get, node } = editor;
	const file = path.join(process.cwd(), 'workflows', 'chat-with-local-model.json');
	await page.goto(`${started.url}/workflow/new`);
	await get('canvas-plus-button').waitFor();
	await page.evaluate(`{
		const clipboardData = new DataTransfer();
		clipboardData.setData('text/plain', ${JSON.stringify(fs.readFileSync(file, 'utf8'))});
		document.dispatchEvent(new ClipboardEvent('paste', { clipboardData }));
	}`);
	await node('Local Chat Model').waitFor();
	expect(await get('canvas-node').getByText('?', { exact: true }).count()).toBe(0);
});
