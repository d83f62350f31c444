/** Checks docs/n8n-assistant.md: n8n's own AI Assistant on a local model, in a browser. n8n 2.20 has another one. */
import type { Workflow } from '../../scripts/lib/types';
import { startSandbox, type Sandbox } from '../servers/sandbox';
import {
	delta,
	events,
	json,
	sse,
	startScripted,
	type ScriptedRequest,
	type ScriptedServer,
} from '../servers/scripted';
import { openEditor, WINDOW, type Editor } from './support/editor';
import {
	isOldestN8n,
	scriptedModel,
	startLlamaServer,
	startN8n,
	stopEverything,
	workFolder,
	type N8nServer,
} from './support/playground';
import { until } from './support/until';

const SLOW = 900_000;
const newest = !isOldestN8n();
const ALIAS = 'my-model';
const WORKFLOW = 'Hello every morning';
const DONE = 'The workflow runs every morning at seven and sets the field hello.';

const SOURCE = `import { workflow, node, trigger } from '@n8n/workflow-sdk';
const start = trigger({
	type: 'n8n-nodes-base.scheduleTrigger', version: 1.2,
	config: { name: 'Every morning', parameters: { rule: { interval: [{ field: 'days', triggerAtHour: 7 }] } } },
});
const hello = node({
	type: 'n8n-nodes-base.set', version: 3.4,
	config: { name: 'Say hello', parameters: { assignments: { assignments: [
		{ id: 'a', name: 'hello', value: 'world', type: 'string' },
	] } } },
});
export default workflow('hello', '${WORKFLOW}').add(start).to(hello);
`;

interface Request {
	stream?: boolean;
	messages: Array<{ role: string }>;
	tools?: Array<{ function: { name: string } }>;
}

/** Calls of a model that knows its tools, by the number of results it has seen. */
const CALLS = [
	{ name: 'load_skill', arguments: { skillId: 'workflow-builder' } },
	{
		name: 'build-workflow',
		arguments: {
			filePath: 'src/workflows/hello.workflow.ts',
			name: WORKFLOW,
			sourceCode: SOURCE,
			approvalSummary: 'Creates a workflow with a schedule and one field',
		},
	},
];

const toolCall = (index: number) => {
	const { name, arguments: values } = CALLS[index]!;
	const call = { name, arguments: JSON.stringify(values) };
	return sse(
		delta({ role: 'assistant', content: index === 0 ? 'I build the workflow.' : '' }),
		delta({ tool_calls: [{ index: 0, id: `call_${index}`, type: 'function', function: call }] }),
		delta({}, 'tool_calls'),
		'[DONE]',
	);
};

const textOf = (text: string) =>
	sse(delta({ role: 'assistant', content: text }), delta({}, 'stop'), '[DONE]');

const asked = ({ body }: ScriptedRequest) => body as unknown as Request;

const startBuilderModel = async () =>
	await startScripted((request, response) => {
		const { stream, messages } = asked(request);
		if (!stream) {
			const message = { role: 'assistant', content: 'A workflow for the morning' };
			return json(response, {
				id: 'c',
				object: 'chat.completion',
				choices: [{ index: 0, message, finish_reason: 'stop' }],
			});
		}
		const results = messages.filter(({ role }) => role === 'tool').length;
		events(response, results < CALLS.length ? toolCall(results) : textOf(DONE));
	});

async function startAssistant(modelUrl: string, sandbox: Sandbox): Promise<N8nServer> {
	return await startN8n({
		env: {
			N8N_INSTANCE_AI_MODEL: `custom/${ALIAS}`,
			N8N_INSTANCE_AI_MODEL_URL: `${modelUrl}/v1`,
			N8N_INSTANCE_AI_MODEL_API_KEY: 'none',
			N8N_INSTANCE_AI_SANDBOX_ENABLED: 'true',
			N8N_SANDBOX_SERVICE_URL: sandbox.url,
			N8N_SANDBOX_SERVICE_API_KEY: 'sample',
			N8N_INSTANCE_AI_SEARXNG_URL: 'http://127.0.0.1:9',
			N8N_AI_MODEL_STREAM_FIRST_OUTPUT_TIMEOUT_MS: '900000',
		},
	});
}

async function ask({ page }: Editor, n8n: N8nServer, question: string): Promise<void> {
	await page.goto(`${n8n.url}/assistant`);
	const input = page.getByRole('textbox').first();
	await input.fill(question);
	await page.keyboard.press('Enter');
}

let sandbox: Sandbox;
let n8n: N8nServer;
let editor: Editor;
let scripted: ScriptedServer;

beforeAll(async () => {
	sandbox = await startSandbox(workFolder('sandbox'));
	scripted = await startBuilderModel();
	n8n = await startAssistant(scripted.url, sandbox);
}, SLOW);
afterAll(async () => {
	await Promise.all([sandbox.close(), scripted.close()]);
	await stopEverything();
}, SLOW);

it("n8n's Assistant is there without further ado in n8n 2.41 only", async () => {
	const modules = await n8n.request<Record<string, unknown>>('GET', '/rest/module-settings');
	expect('instance-ai' in modules).toBe(newest);
});

if (newest) {
	it(
		'builds a workflow with a model that calls its tools',
		async () => {
			editor = await openEditor(n8n);
			await editor.page.setViewportSize({ ...WINDOW, height: 720 });
			await ask(editor, n8n, 'Build a workflow that sets the field hello to world every morning.');
			// While the text arrives, the title of the fading thought shows it as well.
			await editor.page.getByRole('paragraph').filter({ hasText: DONE }).first().waitFor();

			const workflows = await until(
				async () => await n8n.request<Workflow[]>('GET', '/rest/workflows'),
				({ length }) => length === 1,
			);
			expect(workflows[0]).toMatchObject({ name: WORKFLOW, active: false });
			const rounds = scripted.requests.filter((request) => asked(request).stream);
			expect(new Set(scripted.requests.map(({ path }) => path))).toEqual(
				new Set(['/v1/chat/completions']),
			);
			expect(rounds.map((request) => asked(request).tools?.length)).toEqual([19, 19, 19]);
			expect(Object.keys(rounds[0]!.body).sort()).toEqual([
				'messages',
				'model',
				'stream',
				'tool_choice',
				'tools',
			]);
			const sizes = rounds.map(({ body }) => Math.round(JSON.stringify(body).length / 1000));
			// The rules of the builder come with the first result, more rules with the built workflow.
			expect(sizes).toEqual([85, 149, 196]);
			expect(sandbox.commands.filter((command) => command.startsWith('npm install'))).toHaveLength(
				1,
			);
			await editor.page.reload();
			await editor.page.getByText('Thought for').first().click();
			await editor.page.getByText('Generating workflow').first().waitFor();
			await editor.get('canvas-node').nth(1).waitFor();
			await editor.picture('n8n-assistant');
			await editor.close();
		},
		SLOW,
	);

	it(
		'reads the tool calls of the real llama-server',
		async () => {
			const call = { name: 'workflows', arguments: { action: 'list' } };
			const model = await scriptedModel(
				[
					{ last: 'tool', reply: 'You have one workflow.' },
					{
						last: 'user',
						contains: 'do I have',
						reply: `<tool_call>\n${JSON.stringify(call)}\n</tool_call>`,
					},
					{ last: 'user', reply: 'My workflows' },
				],
				{ contextLength: 131_072 },
			);
			const server = await startLlamaServer({
				model,
				alias: ALIAS,
				contextSize: 131_072,
				parallel: 1,
			});
			const other = await startAssistant(server.url, sandbox);
			editor = await openEditor(other);
			await ask(editor, other, 'Which workflows do I have?');
			const answer = editor.page.getByText('You have one workflow.');
			await answer.waitFor();
			expect(await answer.count()).toBe(1);
			await editor.close();
		},
		SLOW,
	);
}
