/** The answer with which a run closes is its text, however much of the stream was read. */
import { EVENT_IDS, playEvents } from '../play-events';

const RUN = { ...EVENT_IDS, workflow_run_id: 'r' };
const started = { event: 'workflow_started', ...RUN, data: { id: 'r' } };
const text = (answer: string) => ({ event: 'message', ...RUN, answer });
const replace = (answer: string, reason = '') => ({
	event: 'message_replace',
	...RUN,
	answer,
	reason,
});
const finished = (outputs: object, status = 'succeeded') => ({
	event: 'workflow_finished',
	...RUN,
	data: { id: 'r', status, outputs },
});
const END = { event: 'message_end', ...RUN, metadata: {} };
const STREAMED = 'Start. End.';

interface Row {
	name: string;
	events: object[];
	text: string;
	displayed?: string;
}

const rows: Row[] = [
	{ name: 'empty', events: [finished({ answer: '' })], text: STREAMED },
	{ name: 'blank', events: [finished({ answer: ' \n' })], text: STREAMED },
	{ name: 'missing', events: [finished({})], text: STREAMED },
	{ name: 'no text', events: [finished({ answer: 5 })], text: STREAMED },
	{ name: 'under another key', events: [finished({ text: 'Other' })], text: STREAMED },
	{ name: 'equal', events: [finished({ answer: STREAMED })], text: STREAMED },
	{
		name: 'other only in blanks',
		events: [finished({ answer: 'Start.\n\nEnd. ' })],
		text: 'Start.\n\nEnd. ',
		displayed: STREAMED,
	},
	{ name: 'longer', events: [finished({ answer: `${STREAMED} More` })], text: `${STREAMED} More` },
	{ name: 'shorter', events: [finished({ answer: 'Start.' })], text: 'Start.' },
	{
		name: 'with passes of a loop',
		events: [finished({ answer: 'Start. [pass] [pass] End.' })],
		text: 'Start. [pass] [pass] End.',
	},
	{ name: 'another one', events: [finished({ answer: '你好' })], text: '你好' },
	{
		name: 'with thinking',
		events: [finished({ answer: '<think>hm</think>Done' })],
		text: 'Done',
	},
	{
		name: 'of a run with handled errors',
		events: [finished({ answer: 'Handled' }, 'partial-succeeded')],
		text: 'Handled',
	},
	{ name: 'failed', events: [finished({ answer: 'x' }, 'failed')], text: STREAMED },
	{ name: 'stopped', events: [finished({ answer: 'x' }, 'stopped')], text: STREAMED },
	{
		name: 'twice, the last one not empty',
		events: [finished({ answer: 'One' }), finished({ answer: 'Two' })],
		text: 'Two',
	},
	{
		name: 'twice, the last one empty',
		events: [finished({ answer: 'One' }), finished({ answer: '' })],
		text: 'One',
	},
	{
		name: 'after a replacement by moderation',
		events: [replace('Refused', 'output_moderation'), finished({ answer: 'Secret' })],
		text: 'Refused',
	},
	{
		name: 'before a replacement by moderation',
		events: [finished({ answer: 'Secret' }), replace('Refused', 'output_moderation')],
		text: 'Refused',
	},
	{
		name: 'after a replacement without a reason',
		events: [replace('Refused'), finished({ answer: 'Secret' })],
		text: 'Refused',
	},
];

describe.each([
	['then the end of the message', (events: object[]) => [...events, END]],
	['and the stream ends', (events: object[]) => events],
])('a closing answer, %s', (_name, complete) => {
	test.each(rows)('$name', ({ events, text: expected, displayed = expected }) => {
		const { result, displayedText } = playEvents(
			started,
			text('Start. '),
			text('End.'),
			...complete(events),
		);
		expect(result.text).toBe(expected);
		expect(displayedText).toBe(displayed);
	});
});

test('after the end of the message, the first closing answer ends the run', () => {
	const { result } = playEvents(started, text('a'), END, finished({ answer: 'b' }), text('c'));
	expect(result.text).toBe('b');
});

describe('words for people', () => {
	const warn = (message: unknown) => ({ event: 'warning', ...RUN, message });

	test("'warning': its words are a warning, once", () => {
		const inData = { event: 'warning', data: { message: 'Soon.' } };
		const { result } = playEvents(warn('Old model.'), warn(' Old model. '), inData, text('a'), END);
		expect(result).toMatchObject({
			text: 'a',
			warnings: ['Dify warns: Old model.', 'Dify warns: Soon.'],
		});
	});

	test.each([undefined, null, '', ' ', 5, {}, []])('%j is no warning', (message) => {
		expect(playEvents(warn(message), text('a'), END).result.warnings).toEqual([]);
	});

	test('long and many warnings are cut', () => {
		const many = Array.from({ length: 50 }, (_, at) => warn(`${at} ${'x'.repeat(1_000_000)}`));
		const { warnings } = playEvents(...many, END).result;
		expect(warnings).toHaveLength(10);
		for (const warning of warnings) expect(warning.length).toBeLessThan(600);
	});

	const FORM = { form_id: 'f', node_id: 'n', form_token: 'x' };
	test.each([
		['Check t {{#$output.comment#}}', ['comment'], 'Check t'],
		['A {{#$output.a#}} b {{#$output.b#}}.', ['a', 'b'], 'A b.'],
		['{{#$output.a#}}\n{{#$output.a#}}\nEnd', ['a'], '\n\nEnd'],
		['{{#$output.other#}} {{#node.a#}} {{a}}', ['a'], '{{#$output.other#}} {{#node.a#}} {{a}}'],
		['{{#$output.a', ['a'], '{{#$output.a'],
		['No field', [], 'No field'],
	])('the text of a form: %j', (content, names, expected) => {
		const inputs = names.map((name) => ({ output_variable_name: name }));
		const form = { ...FORM, form_content: content, inputs };
		const { result } = playEvents(
			{ event: 'human_input_required', data: form },
			{ event: 'workflow_paused', data: { status: 'paused' } },
		);
		expect(result.pause!.forms[0]!.formContent).toBe(expected);
	});

	const filled = (submitted: unknown) => ({
		event: 'human_input_form_filled',
		data: { node_id: 'n', node_title: 'Ask', action_id: 'ok', submitted_data: submitted },
	});
	const node = (outputs: object) => ({
		event: 'node_finished',
		data: { id: '1', node_type: 'human-input', title: 'Ask', status: 'succeeded', outputs },
	});
	test.each([
		['in the event', [filled({ note: 'x' })], { note: 'x' }],
		[
			'in the outputs',
			[node({ __action_id: 'ok', __rendered_content: 'R', note: 'y' })],
			{ note: 'y' },
		],
		[
			'in the later event',
			[node({ __action_id: 'ok' }), filled({ note: 'z', n: 0 })],
			{ note: 'z', n: 0 },
		],
		['nowhere', [filled(undefined)], undefined],
		['of a form without fields', [filled({})], undefined],
		['no object', [filled('x')], undefined],
	])('submitted values %s', (_name, list, submittedData) => {
		const { result } = playEvents(...list, END);
		expect(result.submittedForms).toEqual([
			{ nodeTitle: 'Ask', actionId: 'ok', ...(submittedData && { submittedData }) },
		]);
	});
});
