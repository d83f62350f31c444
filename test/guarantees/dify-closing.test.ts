/**
 * What Dify says at the end of a run wins over what it streamed: in the item, and as one change in n8n's chat. By node
 * classes and their public parameters, against a simulated Dify.
 */
import type { IDataObject } from 'n8n-workflow';

import { appKey, startDifySim } from '../simulators/dify';
import type { DifySim, Script, Step, StreamKnobs } from '../simulators/dify';
import { useSimulator } from '../simulators/use-simulator';
import { execute, prepare } from '../recordings/support/dify-node-runner';

jest.mock('n8n-workflow', () => jest.requireActual<object>('../recordings/support/mock-sleep'));

const start = useSimulator(startDifySim);

interface Played {
	item: IDataObject;
	/** All that the chat was sent. */
	chat: string;
	/** Messages of the chat. */
	messages: number;
	sim: DifySim;
}

interface App {
	mode?: 'advanced-chat' | 'workflow';
	script: Script;
	cut?: StreamKnobs['cut'];
}

async function play({ mode = 'advanced-chat', script, cut }: App): Promise<Played> {
	const knobs: StreamKnobs = {
		// Only the first stream of a run is lost.
		get cut() {
			return sim.requests.some(({ path }) => path.endsWith('/events')) ? undefined : cut;
		},
	};
	const apps = [{ mode, key: appKey(mode), reply: () => script }];
	const sim: DifySim = await start({ apps, stream: knobs });
	const isFlow = mode === 'advanced-chat';
	const node = isFlow ? 'difyChatMessage' : 'difyWorkflow';
	const access = { baseUrl: sim.url, apiKey: appKey(mode) };
	const parameters = {
		query: 'hi',
		user: 'u1',
		conversation: 'new',
		inputsMode: 'json',
		inputsJson: '{}',
		files: {},
		simplify: true,
		options: isFlow ? {} : { include: ['text'] },
	};
	const fake = prepare(node, isFlow ? '' : 'run execute', access, parameters, { streaming: true });
	const [item] = await execute(node, fake);
	const chat = fake.chunks
		.map(({ content }) => (typeof content === 'string' ? content : ''))
		.join('');
	const messages = fake.chunks.filter(({ type }) => type === 'begin').length;
	return { item: item!.json, chat, messages, sim };
}

const flow = (texts: readonly string[], answer: unknown, more: Partial<Script> = {}): Script => ({
	steps: texts.map((text) => ({ text })),
	outputs: { answer, files: [] },
	...more,
});

const SIGNED = (nonce: string) =>
	`![p](http://h/files/1/file-preview?timestamp=179&nonce=${nonce}&sign=${nonce}%3D)`;

interface Row {
	name: string;
	streamed: readonly string[];
	/** `answer` of the closing event. */
	closing: unknown;
	/** Text of the item. */
	answer: string;
	/** Text of the chat. Default: that of the item. */
	chat?: string;
}

const ROWS: Row[] = [
	{
		name: 'a loop with a response inside',
		streamed: ['Start. ', 'End.'],
		closing: 'Start. [pass] [pass] [pass] End.',
		answer: 'Start. [pass] [pass] [pass] End.',
		chat: 'Start. End.\n\nStart. [pass] [pass] [pass] End.',
	},
	{
		name: 'a longer text',
		streamed: ['Start.'],
		closing: 'Start. And the end.',
		answer: 'Start. And the end.',
	},
	{
		name: 'a longer text in Chinese',
		streamed: ['开始。'],
		closing: '开始。\n\n结束。🦙',
		answer: '开始。\n\n结束。🦙',
	},
	{
		name: 'a longer text whose blanks differ before',
		streamed: ['\n\nOne two\n'],
		closing: 'One  two\nthree',
		answer: 'One  two\nthree',
		chat: '\n\nOne two\nthree',
	},
	{
		name: 'a shorter text',
		streamed: ['One two ', 'three'],
		closing: 'One two',
		answer: 'One two',
		chat: 'One two three\n\nOne two',
	},
	{
		name: 'another text',
		streamed: ['draft'],
		closing: 'The result',
		answer: 'The result',
		chat: 'draft\n\nThe result',
	},
	{
		name: 'other blanks',
		streamed: ['One ', 'two\n'],
		closing: 'One\n\ntwo',
		answer: 'One\n\ntwo',
		chat: 'One two\n',
	},
	{ name: 'an empty text', streamed: ['One ', 'two'], closing: '', answer: 'One two' },
	{ name: 'a text of blanks', streamed: ['One ', 'two'], closing: ' \n ', answer: 'One two' },
	{ name: 'no text', streamed: ['One ', 'two'], closing: undefined, answer: 'One two' },
	{ name: 'null', streamed: ['One ', 'two'], closing: null, answer: 'One two' },
	{ name: 'a list', streamed: ['One ', 'two'], closing: ['x'], answer: 'One two' },
	{ name: 'a number', streamed: ['One ', 'two'], closing: 12, answer: 'One two' },
	{ name: 'the only text', streamed: [], closing: 'All at once', answer: 'All at once' },
	{
		name: 'a text with its thinking',
		streamed: ['<think>Hm</think>', 'Hi'],
		closing: '<think>Hm</think>Hi there',
		answer: 'Hi there',
	},
	{
		name: 'a text without the thinking that was streamed',
		streamed: ['<think>Hm</think>', 'Hi'],
		closing: 'Hi',
		answer: 'Hi',
	},
	{
		name: 'a text whose thinking only ends',
		streamed: ['<think>Hm</think>', 'Hi'],
		closing: 'Hm</think>Hi',
		answer: 'Hi',
	},
	{
		name: 'thinking alone',
		streamed: ['Hi'],
		closing: '<think>Hm, yes.</think>\n',
		answer: 'Hi',
	},
	{
		name: 'files with another signature',
		streamed: [`See ${SIGNED('aa')}`, ' end'],
		closing: `See ${SIGNED('bb')} end`,
		answer: `See ${SIGNED('bb')} end`,
		chat: `See ${SIGNED('aa')} end`,
	},
	{
		name: 'files with another signature, and more text',
		streamed: [`See ${SIGNED('aa')}`],
		closing: `See ${SIGNED('bb')} and more`,
		answer: `See ${SIGNED('bb')} and more`,
		chat: `See ${SIGNED('aa')} and more`,
	},
];

describe('the closing event of a chatflow has', () => {
	test.each(ROWS)(
		'the answer and the chat after a closing event with $name',
		async ({ streamed, closing, answer, chat = answer }) => {
			const played = await play({ script: flow(streamed, closing) });
			expect(played.item.answer).toBe(answer);
			expect({ chat: played.chat, messages: played.messages }).toEqual({ chat, messages: 1 });
		},
	);
});

describe('the text of the item does not depend on where the stream is lost', () => {
	test.each(ROWS)(
		'the answer is the same wherever the stream is lost, with $name',
		async ({ streamed, closing, answer }) => {
			const script = flow(streamed, closing);
			for (let events = 1; events < streamed.length + 3; events++) {
				const { item, sim } = await play({ script, cut: { events, how: 'reset' } });
				const isEmpty =
					typeof closing !== 'string' || closing.replace(/<think>.*<\/think>/, '').trim() === '';
				// What Dify never says at the end is lost with the stream.
				if (!isEmpty || events > streamed.length)
					expect([events, item.answer]).toEqual([events, answer]);
				expect(sim.runs).toHaveLength(1);
			}
		},
	);
});

describe('the streamed text stays', () => {
	const two = ['One ', 'two'];

	test.each<[string, Script, object]>([
		[
			'of a stopped run',
			flow(two, 'Another', { stopped: 'Stopped by user.' }),
			{ answer: 'One two', status: 'stopped' },
		],
		[
			'of a run with handled errors',
			flow(two, 'Another', { exceptions: 1 }),
			{ answer: 'One two', status: 'partial-succeeded' },
		],
		[
			'of outputs with other names',
			{ steps: two.map((text) => ({ text })), outputs: { text: 'x', result: 'y', Answer: 'z' } },
			{ answer: 'One two' },
		],
	])('the streamed text stays the answer %s', async (_name, script, expected) => {
		const { item, chat } = await play({ script });
		expect(item).toMatchObject(expected);
		expect(chat).toBe('One two');
	});

	test('of a failed run, in its error', async () => {
		const script = flow(two, 'Another', { fail: 'broken' });
		await expect(play({ script })).rejects.toMatchObject({
			context: { data: { answer: 'One two' } },
		});
	});
});

describe('a run that waits for a person has its forms and its text, wherever its stream is lost', () => {
	const form = {
		nodeId: 'h1',
		nodeTitle: 'Approve',
		content: 'Ok?',
		inputs: [{ type: 'paragraph', output_variable_name: 'note' }],
		actions: [{ id: 'yes', title: 'Yes' }],
	};
	const second = { ...form, nodeId: 'h2', nodeTitle: 'Confirm' };
	const text = [{ text: 'One ' }, { text: 'moment.' }];

	test.each<[string, App['mode'], Step[], number]>([
		['a chatflow', 'advanced-chat', [...text, { pause: [form] }], 4],
		['a chatflow without text', 'advanced-chat', [{ pause: [form] }], 2],
		['a workflow', 'workflow', [...text, { pause: [form] }], 4],
		['a workflow with two forms', 'workflow', [{ pause: [form, second] }], 3],
	])(
		'%s that waits for a person has its forms and its text, wherever its stream is lost',
		async (_name, mode, steps, events) => {
			const whole = await play({ mode, script: { steps } });
			expect(whole.item.status).toBe('paused');
			expect((whole.item.forms as object[])[0]).toMatchObject({ nodeTitle: 'Approve' });
			for (let at = 1; at <= events; at++) {
				const cut = { events: at, how: 'reset' as const };
				const { item, chat, sim } = await play({ mode, script: { steps }, cut });
				const { forms } = whole.item as { forms: Array<{ formToken: string }> };
				const [run] = sim.runs;
				expect([at, item]).toMatchObject([
					at,
					{
						status: 'paused',
						workflowRunId: run!.workflowRunId,
						...(mode === 'advanced-chat' && {
							answer: whole.item.answer,
							conversationId: run!.conversationId,
							messageId: run!.messageId,
						}),
						forms: forms.map(() => ({ formToken: expect.any(String) as string })),
					},
				]);
				if (mode === 'advanced-chat') expect(chat).toBe(whole.chat);
			}
		},
	);
});

describe('a replacement stays', () => {
	test.each<[string, Step[]]>([
		['at the end', [{ text: 'Secret' }, { replace: 'Removed.' }]],
		['before more text', [{ text: 'Sec' }, { replace: 'Removed' }, { text: '.' }]],
		['at the beginning', [{ replace: 'Removed.' }]],
		[
			'of the moderation',
			[
				{ text: 'Secret' },
				{ emit: 'message_replace', fields: { answer: 'Removed.', reason: 'output_moderation' } },
			],
		],
	])('a replacement stays the answer: %s', async (_name, steps) => {
		const { item, chat } = await play({
			script: { steps, outputs: { answer: 'Secret words', files: [] } },
		});
		expect(item.answer).toBe('Removed.');
		expect(chat).toMatch(/Removed\.$/);
		expect(chat).not.toContain('words');
	});
});

describe('a workflow', () => {
	test.each<[string, string[], Record<string, unknown>, string, string]>([
		['with a longer output', ['One '], { text: 'One two' }, 'One two', 'One two'],
		['with another output', ['draft'], { result: 'Done' }, 'Done', 'draft\n\nDone'],
		['with the same output', ['One ', 'two'], { text: 'One two' }, 'One two', 'One two'],
		['with two outputs', ['One ', 'two'], { a: 'One', b: 'x' }, 'One two', 'One two'],
		['with an empty output', ['One ', 'two'], { text: '' }, 'One two', 'One two'],
	])('text and chat of a workflow %s', async (_name, texts, outputs, text, chat) => {
		const script = { steps: texts.map((each) => ({ text: each })), outputs };
		const played = await play({ mode: 'workflow', script });
		expect(played.item.text).toBe(text);
		expect([played.chat, played.messages]).toEqual([chat, 1]);
	});
});
