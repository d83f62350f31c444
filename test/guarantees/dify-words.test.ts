/** Dify's words for people reach them: warnings, submitted values, the text and the buttons of forms. */
import type { FormStep, Script, Step } from '../simulators/dify';
import { appKey } from '../simulators/dify';
import { startApp } from '../lib/dify/client';
import {
	executeOperation,
	executeWorkflowJson,
	startWorkflow,
} from '../nodes/DifyWorkflow/workflow';
import { executePrepared, getNodeError, prepareNode } from '../nodes/dify';
import type { DifyNodeName } from '../nodes/dify';
import type { DifyAppMode } from '../../lib/dify/types';

const APPS: Array<[DifyNodeName, DifyAppMode, Record<string, unknown>]> = [
	['difyChatMessage', 'chat', {}],
	['difyChatMessage', 'agent-chat', {}],
	['difyChatMessage', 'advanced-chat', {}],
	['difyWorkflow', 'workflow', {}],
	['difyApp', 'completion', { resource: 'text', operation: 'generate', text: '' }],
];

/** Runs an app that streams these steps into a chat. */
async function play([node, mode, parameters]: (typeof APPS)[number], steps: Step[]) {
	const sim = await startApp({ mode, reply: () => ({ steps }) });
	const fake = prepareNode(node, sim, { mode, parameters, streaming: true });
	const [item] = await executePrepared(node, fake);
	return {
		item: item!.json,
		hints: fake.hints.map(({ message }) => message),
		chat: JSON.stringify(fake.chunks.map(({ content }) => content ?? '')),
	};
}

const warning = (fields: Record<string, unknown>): Step => ({ emit: 'warning', fields });
const HINT = 'Dify warns: "The model is old."';

describe.each(APPS)(
	"a warning of Dify is a hint in its words, and not in a visitor's chat",
	(...app) => {
		const [node, mode] = app;

		test.each<[string, Step[], string[]]>([
			['first', [warning({ message: 'The model is old.' }), { text: 'Hi' }], [HINT]],
			['later', [{ text: 'Hi' }, warning({ message: ' The\n model is old. ' })], [HINT]],
			['with its words in data', [warning({ data: { message: 'The model is old.' } })], [HINT]],
			['with its words as data', [warning({ data: 'The model is old.' })], [HINT]],
			['with a code', [warning({ code: 'x', message: 'The model is old.' })], [HINT]],
			[
				'with a code only',
				[warning({ code: 'model_old', message: '' })],
				['Dify warns: "model_old"'],
			],
			['without words', [warning({ message: null })], []],
			[
				'twice, and another one',
				[
					warning({ message: 'The model is old.' }),
					warning({ message: 'The model is old.' }),
					warning({ message: 'B' }),
				],
				[HINT, 'Dify warns: "B"'],
			],
		])(`${node} with ${mode}: %s`, async (_name, steps, hints) => {
			const played = await play(app, [...steps, { text: '!' }]);
			expect(played.hints).toEqual(hints);
			expect(played.chat).not.toMatch(/warn|model|old/i);
		});

		test(`${node} with ${mode}: of a megabyte, with the key`, async () => {
			const message = `Key ${appKey(mode)} ${'x '.repeat(500_000)}`;
			const { hints } = await play(app, [warning({ message }), { text: 'Hi' }]);
			expect(hints).toHaveLength(1);
			expect(hints[0]!.length).toBeLessThan(400);
			expect(hints[0]).toContain('Key *** x');
		});
	},
);

test('a hundred warnings are shown in part, and the others counted', async () => {
	const steps = Array.from({ length: 100 }, (_none, at) => warning({ message: `Nr. ${at}` }));
	const { hints } = await play(APPS[0]!, [...steps, { text: 'Hi' }]);
	expect(hints).toHaveLength(21);
	expect(hints.at(-1)).toContain('80 parts');
});

const INPUTS = ['comment', 'pick'].map((name) => ({
	type: 'paragraph',
	output_variable_name: name,
}));
const FORM: FormStep = {
	nodeId: 'n',
	nodeTitle: 'Ask',
	content: 'Please check t {{#$output.comment#}}',
	inputs: INPUTS,
	actions: [
		{ id: 'yes', title: 'Go ahead' },
		{ id: 'no', title: 'no' },
	],
	token: 'tok',
};

describe("the text of a form has no marks of Dify's page", () => {
	test.each([
		['Please check t {{#$output.comment#}}', 'Please check t [comment]'],
		['{{#$output.comment#}} and {{#$output.pick#}}', '[comment] and [pick]'],
		['{{# $output.comment #}}{{#$output.pick#}}', '[comment][pick]'],
		['**Draft**\n\n{{#$output.comment#}}\n', '**Draft**\n\n[comment]\n'],
		// Unknown marks are text.
		['{{#$output.other#}} {{#sys.query#}}', '{{#$output.other#}} {{#sys.query#}}'],
		['{{#$output.comment}} {{ comment }} #}}', '{{#$output.comment}} {{ comment }} #}}'],
		['{{#$output.__proto__#}}{{#$output.#}}', '{{#$output.__proto__#}}{{#$output.#}}'],
		['no mark', 'no mark'],
	])("the text of a form has no marks of Dify's page: %j", async (content, expected) => {
		const form = { ...FORM, content };
		const steps: Step[] = [{ pause: [form] }];
		const sim = await startWorkflow({ steps });
		const paused = await executeWorkflowJson(sim);
		expect(paused.forms).toMatchObject([{ formContent: expected }]);
		const [got] = await executeOperation(sim, 'form', 'get', { formToken: 'tok' });
		expect(got!.json.formContent).toBe(expected);
		const { item } = await play(APPS[2]!, steps);
		expect(item.forms).toMatchObject([{ formContent: expected }]);
	});
});

describe('Follow returns the values of submitted forms', () => {
	const filled = (fields: object): Step => ({
		emit: 'human_input_form_filled',
		fields: { data: { node_id: 'n', node_title: 'Ask', action_id: 'yes', ...fields } },
	});
	const ended = (outputs: object): Step => ({
		node: { id: 'n', type: 'human-input', title: 'Ask', outputs },
	});
	const file = { dify_model_identity: '__dify__file__', filename: 'a.txt', size: 3 };

	test.each<[string, Step[], unknown]>([
		[
			'in the event of the form',
			[filled({ submitted_data: { comment: 'fine', doc: file } })],
			{ comment: 'fine', doc: file },
		],
		[
			'in the outputs of its node',
			[ended({ comment: 'fine', __action_id: 'yes', __rendered_content: 'x' })],
			{ comment: 'fine' },
		],
		[
			'in both',
			[
				filled({ submitted_data: { comment: 'fine' } }),
				ended({ comment: 'fine', __action_id: 'yes' }),
			],
			{ comment: 'fine' },
		],
		[
			'in the second of two events',
			[filled({}), ended({ comment: 'fine', __action_id: 'yes' })],
			{ comment: 'fine' },
		],
		['that has none', [filled({ submitted_data: {} })], undefined],
		['that are no object', [filled({ submitted_data: 'x' })], undefined],
	])('Follow returns the values of a submitted form: %s', async (_name, steps, submittedData) => {
		const sim = await startWorkflow({ steps });
		const { answered } = await executeWorkflowJson(sim);
		const form = { nodeTitle: 'Ask', actionId: 'yes' };
		expect(answered).toEqual([submittedData === undefined ? form : { ...form, submittedData }]);
	});

	test('of a form that someone submitted while the node waits', async () => {
		const script: Script = { steps: [{ pause: [FORM] }, { text: 'ok' }] };
		const sim = await startWorkflow(script);
		const { workflowRunId } = await executeWorkflowJson(sim);
		const following = executeOperation(sim, 'run', 'follow', {
			workflowRunId,
			options: { onPause: 'wait' },
		});
		const values = { comment: 'fine', pick: 'b' };
		await executeOperation(sim, 'form', 'submit', { formToken: 'tok', action: 'yes', values });
		const [item] = await following;
		expect(item!.json.answered).toMatchObject([{ actionId: 'yes', submittedData: values }]);
	});
});

describe('a wrong action names the buttons of the form', () => {
	const submit = async (action: string, form: FormStep = FORM) => {
		const sim = await startWorkflow({ steps: [{ pause: [form] }] });
		await executeWorkflowJson(sim);
		const error = await getNodeError(
			executeOperation(sim, 'form', 'submit', { formToken: 'tok', action, values: {} }),
		);
		const posts = sim.requests.filter(({ method, path }) => method === 'POST' && /form/.test(path));
		return { error, posts: posts.length };
	};

	test.each(['approve', 'Yes', 'YES', 'go', 'x'.repeat(5_000), '{{ $json.action }}'])(
		'%.20s',
		async (action) => {
			const { error, posts } = await submit(action);
			expect(error.message).toMatch(/^The form has no button "/);
			expect(error.message.length).toBeLessThan(120);
			expect(error.description).toContain('yes ("Go ahead"), no.');
			expect(error.description).not.toContain('approve,');
			expect(error.context.data).toMatchObject({ type: 'formRejected' });
			expect(posts).toBe(0);
		},
	);

	test('a wrong action names some buttons of a form with many', async () => {
		const actions = Array.from({ length: 50 }, (_none, at) => ({ id: `b${at}`, title: `B ${at}` }));
		const { error } = await submit('approve', { ...FORM, actions });
		expect(error.description).toContain('b19 ("B 19"), …');
		expect(error.description).not.toContain('b20');
	});

	test('a wrong action names the buttons of the input item, if the form does not list them', async () => {
		const sim = await startWorkflow({ steps: [{ pause: [{ ...FORM, actions: [] }] }] });
		const { forms } = (await executeWorkflowJson(sim)) as { forms: object[] };
		const parameters = {
			resource: 'form',
			operation: 'submit',
			formToken: 'tok',
			action: 'approve',
		};
		const items = [{ json: { forms: [{ ...forms[0], actions: FORM.actions }] } }];
		const fake = prepareNode('difyWorkflow', sim, { mode: 'workflow', parameters, items });
		const error = await getNodeError(executePrepared('difyWorkflow', fake));
		expect(error.description).toContain('yes ("Go ahead"), no.');
	});
});
