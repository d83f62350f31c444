/** Checks docs/n8n-chat-and-agents.md and docs/tracing.md on n8n's own pages, in a browser. n8n 2.20 has no Agents. */
import { appKey, startDifySim, type DifySim } from '../servers/dify';
import { openEditor, WINDOW, type Editor, type Locator } from './support/editor';
import { example, type Named } from './support/examples';
import {
	chatLines,
	isOldestN8n,
	llamaCredential,
	scriptedModel,
	startLlamaServer,
	startN8n,
	stopEverything,
	textOf,
	type LlamaServer,
	type N8nServer,
} from './support/playground';
import { itemsOf } from './support/run-examples';
import { until } from './support/until';

const SLOW = 900_000;
const newest = !isOldestN8n();
const ALIAS = 'my-model';
/** n8n's agents have a system prompt of 15,000 characters, each a token of the scripted model. */
const CONTEXT = 65_536;
const RETURNS =
	'A lamp goes back within 30 days. Put the bulb in the box too, and bring it to any parcel shop.';
const call = (name: string, args: object) =>
	`<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`;

let n8n: N8nServer;
let server: LlamaServer;
let editor: Editor;
let shop: DifySim;
let local: Named;

beforeAll(async () => {
	const model = await scriptedModel(
		[
			{ last: 'tool', reply: 'The model server is up, and the shop opens at nine.' },
			{
				last: 'user',
				contains: 'server',
				reply: `${call('Server_Health', {})}\n${call('Ask_the_shop', { question: 'When does the shop open?' })}`,
			},
			{ last: 'user', reply: RETURNS },
		],
		{ contextLength: CONTEXT },
	);
	const key = appKey('chat');
	[server, n8n, shop] = await Promise.all([
		startLlamaServer({ model, alias: ALIAS, contextSize: CONTEXT, parallel: 1 }),
		startN8n(),
		startDifySim({
			apps: [
				{ mode: 'chat', key, name: 'Lamp shop', reply: () => ({ steps: [{ text: 'At nine.' }] }) },
			],
		}),
	]);
	local = await stored({ ...llamaCredential(server), name: 'My llama-server' });
	editor = await openEditor(n8n);
}, SLOW);

afterAll(async () => {
	await editor.close();
	await shop.close();
	await stopEverything();
}, SLOW);

async function stored(credential: {
	name: string;
	type: string;
	data: Record<string, unknown>;
}): Promise<Named> {
	const { id } = await n8n.createCredential({ ...credential, id: undefined });
	return { id, name: credential.name };
}

it(
	'token totals stand in a later node, and in a data table with one row for each execution',
	async () => {
		const { page, get, node, drag, picture } = editor;
		const created = await n8n.createWorkflow(example('bill-tokens', { local, model: ALIAS }));
		const { id, nodes } = created;
		const made = await n8n.waitForExecution(await n8n.runWorkflow(created, 'Make the table'));
		expect(made.data.resultData.error).toBeUndefined();
		await n8n.activate(id);
		const { webhookId } = nodes.find(({ type }) => type.endsWith('.chatTrigger'))!;
		for (const question of [
			'Can I send it back?',
			'Is three weeks too late?',
			'And without the bulb?',
		])
			expect(textOf(await chatLines(n8n, webhookId!, question))).toBe(RETURNS);
		const [last] = await until(
			async () => await n8n.listExecutions({ workflowId: id, status: ['success'] }),
			({ length }) => length === 4,
		);

		const [totals] = itemsOf(await n8n.getExecution(last!.id), 'Count') ?? [];
		expect([Number(totals?.tokens_in) > 0, Number(totals?.tokens_out) > 0]).toEqual([true, true]);
		// n8n 2.20 shows an execution in a frame of its own.
		if (newest) {
			await page.goto(`${n8n.url}/workflow/${id}/executions/${last!.id}`);
			await node('Count').dblclick();
			const output = get('output-panel');
			await drag(get('panel-drag-button'), -170, 0);
			await output.hover();
			await output.getByTestId('radio-button-json').click();
			await output.getByText('tokens_cached').waitFor();
			expect((await output.innerText()).replace(/\s+/g, ' ')).toMatch(
				/"tokens_in": [1-9]\d+, "tokens_out": [1-9]\d/,
			);
			await picture('token-totals', [
				get('parameter-input-jsCode'),
				output.getByTestId('ndv-run-data-display-mode'),
			]);
		}

		await page.goto(`${n8n.url}/home/datatables`);
		await page.getByText('token_bills').first().click();
		const columns = get('data-table-column-header');
		await columns.filter({ hasText: 'department' }).waitFor();
		const rows = page.locator('.ag-row');
		await until(
			async () => await rows.filter({ hasText: 'support' }).count(),
			(count) => count === 3,
		);
		await picture('token-bills', [page.locator('.ag-header'), rows]);
	},
	SLOW,
);

if (newest) {
	it(
		"a workflow with a local model answers on n8n's Chat page, and its chat gets no title",
		async () => {
			const { page, get, picture } = editor;
			await n8n.request('PUT', '/rest/chat/enabled', { enabled: true });
			const { id } = await n8n.createWorkflow(
				example('chat-with-local-model', {
					local,
					model: ALIAS,
					change: {
						'When chat message received': {
							availableInChat: true,
							agentName: 'Lamp shop',
							agentDescription: 'Answers with a model of our own',
							options: { responseMode: 'streaming' },
						},
					},
				}),
			);
			await n8n.activate(id);
			await page.goto(`${n8n.url}/home/chat/workflow-agents`);
			await get('chat-agent-card').getByText('Lamp shop').click();
			await page
				.getByPlaceholder('Message Lamp shop')
				.fill('Can I send a lamp back after three weeks?');
			await page.keyboard.press('Enter');
			await get('chat-message-content')
				.or(page.locator('main'))
				.getByText(RETURNS)
				.first()
				.waitFor();
			await get('chat-hub-send-message-button').waitFor();
			const chats = await n8n.request('GET', '/rest/chat/conversations?limit=10');
			expect(JSON.stringify(chats)).toContain('"title":"New Chat"');
			await picture('n8n-chat-page');
		},
		SLOW,
	);

	describe("n8n's Agents", () => {
		let agents: string;
		let projectId: string;
		let tools: object[];

		beforeAll(async () => {
			({ id: projectId } = await n8n.request<{ id: string }>('GET', '/rest/projects/personal'));
			agents = `/rest/projects/${projectId}/agents/v2`;
			const data = { baseUrl: shop.url, apiKey: appKey('chat'), keyType: 'app' };
			const dify = await stored({ name: 'My Dify app', type: 'difyApi', data });
			const tool = (
				name: string,
				nodeType: string,
				nodeParameters: object,
				credentials: object,
			) => ({
				type: 'node',
				name,
				node: { nodeType, nodeTypeVersion: 1, nodeParameters, credentials },
			});
			const question = {
				query: "={{ $fromAI('question', 'One complete question', 'string') }}",
				conversation: 'new',
				inputsMode: 'json',
				inputsJson: '{}',
				options: {},
			};
			tools = [
				tool('Server Health', 'CUSTOM.serverHealthTool', {}, { localLlamaApi: local }),
				tool('Ask the shop', 'CUSTOM.difyChatMessageTool', question, { difyApi: dify }),
			];
		});

		async function agentOn(provider: string, type: string, url: string): Promise<string> {
			const { id: credential } = await stored({
				name: 'llama-server',
				type,
				data: { apiKey: 'none', url },
			});
			const { id, configHash } = await n8n.request<{ id: string; configHash: string }>(
				'POST',
				agents,
				{
					name: 'Front desk',
				},
			);
			const config = {
				name: 'Front desk',
				model: `${provider}/${ALIAS}`,
				credential,
				instructions: 'You help the people of a lamp shop.',
				tools,
			};
			await n8n.request('PUT', `${agents}/${id}/config`, { config, baseConfigHash: configHash });
			return id;
		}

		const answers = (): Locator =>
			editor.page.getByText('The model server is up, and the shop opens at nine.');

		async function preview(id: string): Promise<void> {
			const { page } = editor;
			await page.goto(`${n8n.url}/projects/${projectId}/agents/${id}`);
			await page.getByRole('button', { name: 'Preview' }).first().click();
			await page
				.getByPlaceholder('Message Front desk')
				.fill('Is our server up, and when do we open?');
			await page.keyboard.press('Enter');
		}

		it(
			'call our nodes as tools, with a llama-server behind an Anthropic credential',
			async () => {
				const { page, picture } = editor;
				await page.setViewportSize({ ...WINDOW, height: 880 });
				await preview(await agentOn('anthropic', 'anthropicApi', server.url));
				await answers().first().waitFor();
				expect(shop.runs.at(-1)).toMatchObject({ query: 'When does the shop open?', user: 'n8n' });
				await page.mouse.move(400, 600);
				await page.mouse.wheel(0, 5000);
				await picture('n8n-agent', {
					of: page.locator('body'),
					down: [page.getByText('Web search', { exact: true })],
				});
				await page.setViewportSize(WINDOW);
			},
			SLOW,
		);

		it(
			'talk with it behind an NVIDIA credential too',
			async () => {
				await preview(await agentOn('nvidia', 'nvidiaApi', `${server.url}/v1`));
				await answers().first().waitFor();
				// While the text arrives, the page may show it twice for a moment.
				const count = await until(
					async () => await answers().count(),
					(shown) => shown === 1,
				);
				expect(count).toBe(1);
			},
			SLOW,
		);

		it(
			"cannot read llama-server's Responses API, which they ask behind an OpenAI credential",
			async () => {
				await preview(await agentOn('openai', 'openAiApi', `${server.url}/v1`));
				const failure = editor.page.getByText('Type validation failed').first();
				await failure.waitFor();
				expect(await failure.innerText()).toContain('response.created');
			},
			SLOW,
		);
	});
}
