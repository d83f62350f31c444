import { startScripted } from '../../../support/servers/scripted-server';
import { useSimulator } from '../../../simulators/use-simulator';
import { byId, executeNode } from '../../dify';
import type { DifyNodeName } from '../../dify';

const ID = '9007199254740993';
const RUN_ID = '1c7e55fb-1ba2-4e10-81b5-30addcea2276';

const start = useSimulator(startScripted);

/** Answers every request with JSON text, and runs with an event. */
const startDify = async (answer: (url: string) => string) =>
	await start(({ path }, response) => {
		const text = answer(path);
		const type = text.startsWith('data:') ? 'text/event-stream' : 'application/json';
		response.writeHead(200, { 'content-type': type }).end(text);
	});

const run = async (name: DifyNodeName, answer: (url: string) => string, parameters: object) => {
	const sim = await startDify(answer);
	const mode = name === 'difyWorkflow' ? 'workflow' : 'chat';
	const items = await executeNode(name, sim, { mode, parameters: { ...parameters } });
	return {
		text: JSON.stringify(items.map(({ json }) => json)),
		sent: sim.requests.map((request) => request.text).join('\n'),
	};
};
const finished = (outputs: string) =>
	`data: {"event":"workflow_finished","workflow_run_id":"${RUN_ID}","data":{"status":"succeeded","outputs":${outputs}}}\n\n`;

test.each<[string, DifyNodeName, (url: string) => string, object]>([
	['outputs of a run', 'difyWorkflow', () => finished(`{"id":${ID},"list":[{"n":-${ID}}]}`), {}],
	[
		'a run record',
		'difyWorkflow',
		() =>
			`{"id":"${RUN_ID}","status":"succeeded","inputs":"{\\"id\\":${ID}}","outputs":{"id":${ID}}}`,
		{ operation: 'get', workflowRunId: RUN_ID },
	],
	[
		'a variable',
		'difyConversation',
		() => `{"data":[{"id":"v","name":"v","value_type":"number","value":${ID}}]}`,
		{ resource: 'variable', operation: 'getAll', conversationId: byId(RUN_ID), limit: 5 },
	],
	[
		'a rating',
		'difyFeedback',
		() => `{"data":[{"id":"f","content":{"id":${ID}}}]}`,
		{ operation: 'getAll', limit: 5 },
	],
])('a number keeps all digits in %s', async (_case, name, answer, parameters) => {
	const { text } = await run(name, answer, parameters);
	expect(text).toContain(ID);
	expect(text).not.toContain('9007199254740992');
});

test('a number keeps all digits in inputs', async () => {
	const form = `{"user_input_form":[{"number":{"variable":"n"}},{"json_object":{"variable":"j"}},{"text-input":{"variable":"t"}}]}`;
	const answer = (url: string) => (url.includes('parameters') ? form : finished('{}'));
	const asJson = { inputsMode: 'json', inputsJson: `{"n":${ID},"j":{"id":${ID}},"t":"x"}` };
	const value = { n: ID, j: `{"id":${ID}}`, t: ID };
	for (const parameters of [asJson, { inputsMode: 'form', inputs: { value } }]) {
		const { sent } = await run('difyWorkflow', answer, parameters);
		expect(sent).toContain(`"n":${ID}`);
		expect(sent).toContain(`"id":${ID}`);
	}
});

test('a number keeps all digits in a variable of the type number', async () => {
	const list = `{"data":[{"id":"${RUN_ID}","name":"v","value_type":"number","value":"1"}]}`;
	const { sent } = await run('difyConversation', () => list, {
		resource: 'variable',
		operation: 'update',
		conversationId: byId(RUN_ID),
		variableId: { __rl: true, mode: 'name', value: 'v' },
		value: ID,
	});
	expect(sent).toContain(`"value":${ID}`);
});
