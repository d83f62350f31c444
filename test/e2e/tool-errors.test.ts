/** What the model of an agent reads if its tool fails, in the real n8n: which words of a server go further than the owner. */
import { calls, CHAT, text } from '../guarantees/support/responses';
import { json, startScripted } from '../support/servers/scripted-server';
import type { Answer, Routes, ScriptedServer } from '../support/servers/scripted-server';
import { llamaCredential, stopEverything, theSharedN8n } from './support/playground';
import type { GateN8n } from './support/playground';
import { agent, localModel, MANUAL, workflowOf } from './support/workflows';

const TOOL = 'Ask';
const SENTENCE = 'The quota of tenant blue is shut';
const LIST: Routes = { 'GET /v1/models': json({ object: 'list', data: [{ id: 'test-model' }] }) };

let n8n: GateN8n;
const servers: ScriptedServer[] = [];

beforeAll(async () => {
	n8n = await theSharedN8n();
});
afterEach(async () => {
	await Promise.all(servers.splice(0).map(async (server) => await server.close()));
});
afterAll(stopEverything);

async function start(answers: Answer | Answer[]) {
	const server = await startScripted({ ...LIST, [`POST ${CHAT}`]: answers });
	servers.push(server);
	const { id, name } = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
	return { server, credential: { id, name } };
}

const refuse = (status: number, more: object = {}) =>
	json({ error: { message: SENTENCE, ...more } }, status);

const UNAVAILABLE =
	'The service behind this tool is unavailable. Do not call it again now; tell the user that it is not available.';
const REJECTED =
	'The service behind this tool rejected the request. Do not send the same request again; tell the user that it was rejected.';

it.each([
	{ what: 'that failed', answer: refuse(500), read: UNAVAILABLE },
	{ what: 'that rejects its key', answer: refuse(401), read: UNAVAILABLE },
	{ what: 'that rejects the request', answer: refuse(400), read: REJECTED },
	{
		what: 'that rejects a field of the author',
		answer: refuse(400, { param: 'max_tokens' }),
		read: REJECTED,
	},
	{
		what: 'that rejects a field which the model fills in',
		answer: refuse(400, { param: 'temperature' }),
		read: `Temperature: ${SENTENCE}. Change "Temperature".`,
	},
	{
		what: 'that rejects such a field whose label is another one than its name',
		answer: refuse(400, { param: 'top_k' }),
		read: `Sampling: Top K: ${SENTENCE}. Change "Sampling: Top K".`,
	},
])('of a server $what', async ({ answer, read }) => {
	const tool = await start(answer);
	const model = await start([
		calls(['call_1', TOOL, '{"prompt":"Hello","heat":1.5,"k":7}']),
		text('The tool has answered.'),
	]);
	const workflow = await n8n.createWorkflow(
		workflowOf('Failing tool', {
			Start: MANUAL,
			Agent: agent('Use the tool'),
			'Local Chat Model': localModel(model.credential),
			[TOOL]: {
				type: 'CUSTOM.localLlamaTool',
				parameters: {
					resource: 'text',
					operation: 'chat',
					model: { __rl: true, mode: 'id', value: 'test-model' },
					prompt: "={{ $fromAI('prompt', 'The question', 'string') }}",
					options: {
						maxTokens: 50,
						temperature: "={{ $fromAI('heat', 'Heat', 'number') }}",
						topK: "={{ $fromAI('k', 'Count', 'number') }}",
					},
				},
				credentials: { localLlamaApi: tool.credential },
				serves: [['ai_tool', 'Agent']],
			},
		}),
	);
	await n8n.waitForExecution(await n8n.runWorkflow(workflow, 'Start'));
	const [, second] = model.server.sent(CHAT);
	const [result] = (second!.messages as Array<Record<string, unknown>>).slice(-1);
	expect(result).toMatchObject({ role: 'tool', content: JSON.stringify([{ error: read }]) });
});
