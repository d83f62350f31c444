import type { NodeOperationError } from 'n8n-workflow';

import { DifyChatMessage } from '../../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyFeedback } from '../../../../nodes/DifyFeedback/DifyFeedback.node';
import { DifyWorkflow } from '../../../../nodes/DifyWorkflow/DifyWorkflow.node';
import { LocalLlama } from '../../../../nodes/LocalLlama/LocalLlama.node';
import { executeContext } from '../../../support/n8n/execute-context';
import type { ExecuteSetup } from '../../../support/n8n/execute-context';
import { json, startScripted } from '../../../support/servers/scripted-server';
import { useSimulator } from '../../../simulators/use-simulator';

const NOWHERE = { baseUrl: 'http://127.0.0.1:1', apiKey: ['local', 'key', '123'].join('-') };

async function failureOf(
	operation: string,
	setup: Partial<ExecuteSetup>,
	node: { execute: LocalLlama['execute'] } = new LocalLlama(),
): Promise<NodeOperationError> {
	const { context } = executeContext({
		type: 'n8n-nodes-local-llama.localLlama',
		credentials: NOWHERE,
		...setup,
		parameters: {
			resource: 'text',
			operation,
			model: 'm',
			...setup.parameters,
		},
	});
	return (await node.execute.call(context).catch((error: unknown) => error)) as NodeOperationError;
}

const PROMPT = '={{ $json.chatInput }}';

test('an expression that names a field which the item lacks', async () => {
	const { message, description } = await failureOf('chat', {
		parameters: { prompt: undefined },
		written: { prompt: PROMPT },
		items: [{ json: { text: 'Hi' } }],
	});
	expect(message).toBe('This item has no chatInput');
	expect(description).toBe(
		'It comes from a Chat Trigger: start the workflow with one, or change the expression in "Prompt".',
	);
});

test('an item with which an earlier node continued after its error is said to be one', async () => {
	const { message, description } = await failureOf('chat', {
		parameters: { prompt: undefined },
		written: { prompt: '={{ $json.text }}' },
		items: [{ json: { error: { message: 'The field "Text" is empty' } } }],
	});
	expect(message).toBe('This item has no text');
	expect(description).toMatch(/^The item is the error of an earlier node: remove such items/);
});

test.each([
	{ isExecuted: true, advice: /^Pass on this field of "When chat message received", or change / },
	{ isExecuted: false, advice: /^It comes from a Chat Trigger: start the workflow with one, or / },
])('a chat that started is not advised to start: %j', async ({ isExecuted, advice }) => {
	const { description } = await failureOf('chat', {
		parameters: { prompt: undefined },
		written: { prompt: PROMPT },
		items: [{ json: { text: 'Hi' } }],
		chatTrigger: { name: 'When chat message received', isExecuted },
	});
	expect(description).toMatch(advice);
});

test('a field is named by its label, also if the title uses it as a word', async () => {
	const { description } = await failureOf(
		'send',
		{
			credentials: { ...NOWHERE, keyType: 'app' },
			parameters: { query: '' },
			written: { query: '={{ $json.question }}' },
		},
		new DifyChatMessage() as never,
	);
	expect(description).toBe('Pass on a field with this name, or change the expression in "Query".');
});

test('the default of a Dify chat, and a name in brackets', async () => {
	const credentials = { ...NOWHERE, keyType: 'app' };
	const fails = async (query: string) =>
		await failureOf(
			'send',
			{ credentials, parameters: { query: '' }, written: { query } },
			new DifyChatMessage() as never,
		);
	expect((await fails(PROMPT)).message).toBe('This item has no chatInput');
	expect((await fails('={{ $json["the question"] }}')).message).toBe(
		'This item has no "the question"',
	);
});

test('a field with its own advice keeps it', async () => {
	const { message, description } = await failureOf(
		'rate',
		{
			credentials: { ...NOWHERE, keyType: 'app' },
			parameters: { messageId: '', rating: 'like', user: 'anna' },
			written: { messageId: '={{ $json.messageId }}' },
			items: [{ json: { user: 'anna' } }],
		},
		new DifyFeedback() as never,
	);
	expect(message).toBe('This item has no messageId');
	expect(description).toContain('drag the field messageId');
});

test('an empty cell: the item, and what to do with such items', async () => {
	const { message, description } = await failureOf('chat', {
		written: { prompt: '={{ $json.question }}' },
		parameters: { prompt: '' },
		items: [{ json: { question: 'x' } }, { json: { question: '' } }],
		perItem: [{ prompt: ' ' }, { prompt: '' }],
	});
	expect(message).toMatch(/^The field "Prompt" is empty \(item [12] of 2\)$/);
	expect(description).toMatch(/Filter.*On Error/);
	expect(description).not.toContain('Correct the field in the node');
});

test.each([
	{ continueOnFail: false, advice: /Filter\), or set Settings → On Error to Continue\.$/ },
	{
		continueOnFail: true,
		advice: /^Fill in the value, or remove such items before this node \(Filter\)\.$/,
	},
])('an item on the error output has each sentence once: %j', async ({ continueOnFail, advice }) => {
	const setup = {
		written: { prompt: '={{ $json.question }}' },
		parameters: { prompt: '' },
		items: [{ json: { question: '' } }],
	};
	const { context } = executeContext({
		type: 'localLlama',
		credentials: NOWHERE,
		continueOnFail,
		...setup,
		parameters: { resource: 'text', operation: 'chat', model: 'm', ...setup.parameters },
	});
	const { message, description } = await new LocalLlama().execute.call(context).then(
		([items]) => items![0]!.json.error as Record<string, string>,
		(error: unknown) => error as NodeOperationError,
	);
	expect(message).toBe('The field "Prompt" is empty');
	expect(description).toMatch(advice);
});

test('an option with a wrong value of the item', async () => {
	const { message, description } = await failureOf('chat', {
		parameters: { prompt: 'Hi', options: { temperature: 'hot' } },
		written: { prompt: 'Hi', options: { temperature: '={{ $json.heat }}' } },
		items: [{ json: { heat: 'hot' } }],
	});
	expect(message).toMatch(/"Temperature" must be .*"hot"/);
	expect(description).toBe('Correct the value in the item, or the expression.');
});

test('any problem of an expression is one of its item, which has the value', async () => {
	const { message, description } = await failureOf('chat', {
		parameters: { prompt: 'Hi', options: { extraBody: '[1' } },
		written: { prompt: 'Hi', options: { extraBody: '={{ $json.list || $json.item }}' } },
		items: [{ json: { list: '[1' } }],
	});
	expect(message).toContain('The field "Extra Body" is not valid JSON');
	expect(description).toBe('Correct the value in the item, or the expression.');
});

const RUN_ID = { workflowRunId: '{{ $json.workflowRunId }}' };

test('a fixed ID with braces has the cure, whatever the error calls its field', async () => {
	const { message, description } = await failureOf(
		'submit',
		{
			credentials: { ...NOWHERE, keyType: 'app' },
			parameters: { resource: 'form', formToken: 't', action: 'a', ...RUN_ID },
			written: RUN_ID,
		},
		new DifyWorkflow() as never,
	);
	expect(message).toBe('The workflow run ID is not valid: "{{ $json.workflowRunId }}"');
	expect(description).toBe(
		'Switch the field to Expression (the toggle above it), so that n8n fills in the value.',
	);
});

test('an ID that the item lacks is passed on, not entered', async () => {
	const { message, description } = await failureOf(
		'stop',
		{
			credentials: { ...NOWHERE, keyType: 'app' },
			parameters: { resource: 'run', taskId: undefined },
			written: { taskId: '={{ $json.taskId }}' },
			items: [{ json: { workflowRunId: 'x' } }],
		},
		new DifyWorkflow() as never,
	);
	expect(message).toBe('This item has no taskId');
	expect(description).toBe(
		'Pass on a field with this name, or change the expression in "Task ID".',
	);
});

test('a fixed value is an error of the node, and a tool keeps the words for its model', async () => {
	const fixed = await failureOf('chat', { parameters: { prompt: '' }, written: { prompt: '' } });
	expect(fixed.description).toBe('Enter a value.');
	const tool = await failureOf('chat', {
		type: 'n8n-nodes-local-llama.localLlamaTool',
		parameters: { prompt: '' },
		written: { prompt: PROMPT },
	});
	expect(tool.message).toContain('The field "Prompt" is empty');
});

describe('which item failed', () => {
	const TWO = [{ json: { question: 'x' } }, { json: {} }];
	const EMPTY_SECOND = [{ prompt: 'x' }, { prompt: '' }];

	test.each([
		{
			what: 'a field that the item lacks',
			setup: { written: { prompt: '={{ $json.question }}' }, perItem: EMPTY_SECOND, items: TWO },
			title: 'This item has no question (item 2 of 2)',
		},
		{
			what: 'an empty cell',
			setup: {
				written: { prompt: '={{ $json.question }}' },
				perItem: EMPTY_SECOND,
				items: [{ json: { question: 'x' } }, { json: { question: '' } }],
			},
			title: 'The field "Prompt" is empty (item 2 of 2)',
		},
		{
			what: 'the model of a resource locator',
			setup: {
				written: { prompt: 'Hi', model: { __rl: true, mode: 'id', value: '={{ $json.model }}' } },
				parameters: { prompt: 'Hi', model: ' ' },
				items: TWO,
			},
			title: /\(item [12] of 2\)$/,
		},
		{
			what: 'an option with a wrong value of the item',
			setup: {
				written: { prompt: 'Hi', options: { temperature: '={{ $json.heat }}' } },
				parameters: { prompt: 'Hi', options: { temperature: 'hot' } },
				items: [{ json: { heat: 'hot' } }, { json: { heat: 'hot' } }],
			},
			title: /"Temperature" must be .*\(item [12] of 2\)$/,
		},
		{
			what: 'a server that does not respond',
			setup: { written: { prompt: 'Hi' }, parameters: { prompt: 'Hi' }, items: TWO },
			title: /\(item [12] of 2\)$/,
		},
		{
			what: 'an error of n8n about an expression',
			setup: {
				written: { prompt: '={{ $("Gone").item.json.a }}' },
				perItem: [{ prompt: new Error('Referenced node does not exist') }],
				items: TWO,
			},
			title: 'Referenced node does not exist (item 1 of 2)',
		},
		{
			what: 'a fixed value, with which every item fails',
			setup: { written: { prompt: '' }, parameters: { prompt: '' }, items: TWO },
			title: 'The field "Prompt" is empty',
		},
		{
			what: 'a fixed option',
			setup: {
				written: { prompt: 'Hi', options: { temperature: 'hot' } },
				parameters: { prompt: 'Hi', options: { temperature: 'hot' } },
				items: TWO,
			},
			title: /"hot"$/,
		},
		{
			what: 'no label at all',
			setup: {
				written: { text: 'Hi', labels: {} },
				parameters: { operation: 'classify', text: 'Hi', labels: {} },
				items: TWO,
			},
			title: 'The field "Labels" is empty',
		},
		{
			what: 'a label of the item',
			setup: {
				written: { text: 'Hi', labels: { label: [{ name: '={{ $json.kind }}' }] } },
				parameters: { operation: 'classify', text: 'Hi', labels: { label: [] } },
				items: TWO,
			},
			title: 'The field "Labels" is empty (item 1 of 2)',
		},
		{
			what: 'the only item',
			setup: { written: { prompt: '={{ $json.question }}' }, parameters: { prompt: '' } },
			title: 'This item has no question',
		},
		{
			what: 'a tool',
			setup: {
				type: 'n8n-nodes-local-llama.localLlamaTool',
				written: { prompt: '' },
				parameters: { prompt: '' },
				items: TWO,
			},
			title: /is empty[^(]*$/,
		},
	])('$what', async ({ setup, title }) => {
		const { message, context } = await failureOf('chat', setup as Partial<ExecuteSetup>);
		if (typeof title === 'string') expect(message).toBe(title);
		else expect(message).toMatch(title);
		// n8n would show it behind the title, counted from 0.
		expect(context.itemIndex).toBeUndefined();
	});

	test('error items have the same title for the same reason', async () => {
		const { context } = executeContext({
			type: 'localLlama',
			credentials: NOWHERE,
			continueOnFail: true,
			written: { prompt: '={{ $json.question }}' },
			parameters: { resource: 'text', operation: 'chat', model: 'm', prompt: '' },
			items: [{ json: { question: '' } }, { json: { question: '' } }],
		});
		const [items] = await new LocalLlama().execute.call(context);
		const titles = items!.map(({ json }) => (json.error as Record<string, string>).message);
		expect(titles).toEqual(['The field "Prompt" is empty', 'The field "Prompt" is empty']);
	});
});

describe('a field that Dify names', () => {
	const start = useSimulator(startScripted);
	const rejections = [
		{
			what: 'by its parser',
			body: { code: 'invalid_param', message: 'Too long for us.', params: 'query', status: 400 },
			title: 'Query: Too long for us',
		},
		{
			what: 'by pydantic',
			body: {
				code: 'invalid_param',
				message:
					"1 validation error for ChatRequestPayload\nconversation_id\n  Value error, no UUID [type=value_error, input_value='abc', input_type=str]\n    For further information visit https://errors.pydantic.dev/2.12/v/value_error",
				status: 400,
			},
			title: 'Conversation: Value error, no UUID',
		},
	];

	const fail = async (body: object, setup: Partial<ExecuteSetup>) => {
		const { url } = await start({ 'POST /v1/chat-messages': json(body, 400) });
		const credentials = { ...NOWHERE, baseUrl: url, keyType: 'app' };
		const parameters = {
			query: 'Hi',
			user: 'anna',
			conversation: 'byId',
			conversationId: '4c1f1b2e-2222-4333-8444-555555555555',
			inputsMode: 'json',
			inputsJson: '{}',
			...setup.parameters,
		};
		return await failureOf(
			'send',
			{ ...setup, credentials, parameters },
			new DifyChatMessage() as never,
		);
	};

	test.each(rejections)('$what: its label stands before the sentence', async ({ body, title }) => {
		const { message, description } = await fail(body, {});
		const [label] = title.split(':');
		expect(message).toBe(title);
		expect(description).toContain(`Change "${label}".`);
	});

	test.each([
		{ written: "={{ $fromAI('question') }}", isTold: true },
		{ written: '={{ $json.question }}', isTold: false },
	])('a model reads it of a field that it fills in: %j', async ({ written, isTold }) => {
		const { message } = await fail(rejections[0]!.body, {
			type: 'n8n-nodes-local-llama.difyChatMessageTool',
			written: { query: written },
		});
		expect(message).toBe(
			isTold
				? 'Query: Too long for us. Change "Query".'
				: 'The service behind this tool rejected the request. Do not send the same request again; tell the user that it was rejected.',
		);
	});
});
