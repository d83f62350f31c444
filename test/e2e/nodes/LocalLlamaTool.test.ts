/**
 * Local Llama as a tool of an agent, as a person adds it in the editor. The agent's model runs on the real llama-server,
 * and calls the tool with fixed arguments.
 */
import { NEVER } from '../support/describe-screens';
import { scriptedModel, startLlamaServer, stopEverything } from '../support/playground';
import type { ScriptedReply } from '../support/playground';
import { Screens } from '../support/screens';
import type { Named } from '../support/screens';
import { until } from '../support/until';
import { agent, localModel, MANUAL, spread, workflowOf } from '../support/workflows';

/** An operation of the tool. */
interface ToolScreen {
	/** Labels of the two lists. */
	resource: string;
	operation: string;
	/** What n8n calls the node, and the agent the tool. */
	toolName: string;
	/** What the model passes, by the description that it gets in the panel. */
	passed: Readonly<Record<string, unknown>>;
	descriptions: readonly string[];
	/** The list that only the person can fill in, and its rows. */
	rows?: { add: string; names: readonly string[]; notice: string };
	/** A part of the output of the tool. */
	result: string;
}

const TEXT = 'The llama keeps its wool.';
const GENERATED = 'The llama is a domesticated animal';
const LAST_WORDS = 'The tool has answered.';

const SCREENS: readonly ToolScreen[] = [
	{
		resource: 'Text',
		operation: 'Chat',
		toolName: 'Chat with a model in Local Llama',
		passed: { prompt: TEXT },
		descriptions: ['The complete question or task for the model'],
		result: GENERATED,
	},
	{
		resource: 'Text',
		operation: 'Complete',
		toolName: 'Complete a text in Local Llama',
		passed: { prompt: TEXT },
		descriptions: ['The beginning of a text to continue, not a question or an instruction'],
		result: GENERATED,
	},
	{
		resource: 'Text',
		operation: 'Extract',
		toolName: 'Extract data from a text in Local Llama',
		passed: { text: TEXT },
		descriptions: ['The complete text to process'],
		rows: {
			add: 'Add Field',
			names: ['city'],
			notice: 'The agent passes the text only. Add the fields that it should get.',
		},
		result: 'city',
	},
	{
		resource: 'Text',
		operation: 'Classify',
		toolName: 'Classify a text in Local Llama',
		passed: { text: TEXT },
		descriptions: ['The complete text to process'],
		rows: {
			add: 'Add Label',
			names: ['invoice', 'offer'],
			notice: 'The agent passes the text only. Add the labels to choose from.',
		},
		result: 'offer',
	},
	{
		resource: 'Vector',
		operation: 'Embed',
		toolName: 'Embed texts in Local Llama',
		passed: { text: TEXT },
		descriptions: ['The text to embed'],
		result: '0.5',
	},
	{
		resource: 'Vector',
		operation: 'Rerank',
		toolName: 'Rerank documents in Local Llama',
		passed: { query: 'wool', documents: [TEXT, 'Vicunas are wild.'] },
		descriptions: [
			'The query to rank the documents by',
			'The texts to rank, as an array of strings',
		],
		result: 'Vicunas are wild.',
	},
];

/** The replies of the agent's model: a call of the tool that the user's message names, then a sentence. */
const SCRIPT: ScriptedReply[] = [
	{ last: 'tool', reply: LAST_WORDS },
	...SCREENS.map(({ toolName, operation, passed }): ScriptedReply => {
		const call = { name: toolName.replaceAll(' ', '_'), arguments: passed };
		return {
			last: 'user',
			contains: `Use ${operation}`,
			reply: `<tool_call>\n${JSON.stringify(call)}\n</tool_call>`,
		};
	}),
];

let open: Screens;
let model: Named;

beforeAll(async () => {
	open = await Screens.open('localLlamaTool');
	const { url: baseUrl } = await startLlamaServer({
		model: await scriptedModel(SCRIPT),
		contextSize: 8192,
	});
	const data = { baseUrl, apiKey: '' };
	const name = 'Model of the agent';
	const { id } = await open.n8n.createCredential({ name, type: 'localLlamaApi', data });
	model = { id, name };
});
afterAll(async () => {
	await open.close();
	await stopEverything();
});

it.each(SCREENS)(
	'$operation as added: the agent fills in its fields, calls it and gets the result',
	async ({ resource, operation, toolName, passed, descriptions, rows, result }) => {
		const { get, openNode, closeNode } = open.editor;
		const server = `Local Llama ${operation} as a tool`;
		const credential = await open.createCredential(server, 'localLlamaApi');
		await open.openNodes(
			spread(
				workflowOf(server, {
					Start: MANUAL,
					Agent: agent(`Use ${operation}`),
					Model: localModel(model),
				}),
			),
		);
		await open.addTo('Agent', 'Tool');
		await open.chooseCredential(credential);
		await open.chooseLabel('resource', resource);
		await open.chooseLabel('operation', operation);
		const panel = get('node-parameters');
		await panel.getByText('Defined automatically by the model').first().waitFor();
		expect({
			fromAgent: await panel.getByText('Defined automatically by the model').count(),
			redFields: await open.redFields(),
		}).toEqual({ fromAgent: descriptions.length, redFields: 0 });
		const texts = await panel
			.locator('textarea')
			.evaluateAll((areas: Array<{ value: string }>) => areas.map(({ value }) => value));
		expect(texts).toEqual(expect.arrayContaining([...descriptions]));
		if (rows !== undefined) {
			expect(await panel.innerText()).toContain(rows.notice);
			for (const [index, name] of rows.names.entries()) {
				await panel.getByText(rows.add).click();
				await panel
					.getByPlaceholder(/^e\.g\. invoice/)
					.nth(index)
					.fill(name);
			}
		}
		await closeNode();

		await get('execute-workflow-button').first().click();
		await openNode('Agent');
		await until(
			async () => (await open.pane()).text,
			(text) => text.includes(LAST_WORDS),
		);
		await closeNode();
		const sent = open.server.to(server).map(({ text }) => text);
		for (const value of Object.values(passed).flat())
			expect(sent).toContainEqual(expect.stringContaining(String(value)));
		await openNode(toolName);
		const { text } = await open.pane();
		expect(text).toContain(result);
		expect(text).not.toMatch(NEVER);
		await closeNode();
	},
);
