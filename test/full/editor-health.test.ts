import { openEditor, WINDOW, type Editor } from '../e2e/support/editor';
import {
	llamaCredential,
	parts,
	scriptedModel,
	startLlamaServer,
	startN8n,
	stopEverything,
	type LlamaServer,
	type N8nServer,
} from '../e2e/support/playground';
import { MANUAL, workflowOf } from '../e2e/support/workflows';
import { loadScript } from '../support/scripts';

let n8n: N8nServer;
let editor: Editor;
let good: Pick<LlamaServer, 'url'>;
let withoutTools: Pick<LlamaServer, 'url'>;
let down: Pick<LlamaServer, 'url'>;

beforeAll(async () => {
	const { freePortFrom } = await loadScript<{ freePortFrom(wanted: number): Promise<number> }>(
		'ports',
	);
	// The screenshot shows the usual port, if it is free.
	down = { url: `http://127.0.0.1:${await freePortFrom(9931)}` };
	const model = await scriptedModel([{ reply: 'Hello.' }], { contextLength: 32_768 });
	const options = { parallel: 1, args: ['--metrics'] };
	[n8n, good, withoutTools] = await Promise.all([
		startN8n(),
		startLlamaServer({ ...options, model, contextSize: 16_384 }),
		startLlamaServer({ ...options, model: parts().smolLm2, contextSize: 8192 }),
	]);
	editor = await openEditor(n8n);
});
afterAll(async () => {
	await editor.close();
	await stopEverything();
});

describe('Check in the editor', () => {
	it.each([
		{
			name: 'good',
			options: { timeout: 30 },
			server: () => good,
			branch: 'Healthy Branch (1 item)',
			says: ['responds in', '"healthy"'],
			hint: undefined,
		},
		{
			name: 'down',
			options: {},
			server: () => down,
			branch: 'Unhealthy Branch (1 item)',
			says: ['Nothing is listening on 127.0.0.1', '"refused"', 'ECONNREFUSED'],
			hint: 'Unhealthy',
		},
		{
			name: 'without-tools',
			options: { timeout: 30 },
			server: () => withoutTools,
			branch: 'Healthy Branch (1 item)',
			says: ['with 1 warning', '"modelLacksTools"', '--jinja'],
			hint: 'Agents cannot call tools with the model "test-model"',
		},
	])('a server that is $name', async ({ name, options, server, branch, says, hint }) => {
		const { get, page, drag, openWorkflow, openNode, closeNode, picture } = editor;
		const { id, name: title } = await n8n.createCredential({
			...llamaCredential(server()),
			id: undefined,
			name: 'My llama-server',
		});
		const created = await n8n.createWorkflow(
			workflowOf('Is the server well?', {
				Start: { ...MANUAL, to: ['Server Health'] },
				'Server Health': {
					type: 'CUSTOM.serverHealth',
					parameters: { service: 'modelServer', operation: 'check', options },
					credentials: { localLlamaApi: { id, name: title } },
				},
			}),
		);
		await openWorkflow(created.id);
		await openNode('Server Health');
		await get('node-execute-button').click();
		const output = get('output-panel');
		await output.getByText(branch).click();
		// The buttons for other views are visible only while the pointer is over the panel.
		await output.hover();
		await output.getByTestId('radio-button-json').click();
		await output.getByText('"findings"').waitFor();
		const outputText = (await output.innerText()).replace(/\s+/g, ' ');
		for (const text of says) expect(outputText).toContain(text);
		if (hint !== undefined)
			expect(outputText.indexOf(hint)).toBeLessThan(outputText.indexOf('"summary"'));
		await drag(get('panel-drag-button'), -400, 0);
		await page.setViewportSize({ ...WINDOW, height: 700 });
		await picture(`check-${name}`, [page.locator('.node-settings'), output]);
		await page.setViewportSize(WINDOW);
		await closeNode();
	});
});
