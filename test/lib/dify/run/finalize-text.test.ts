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
		text: STREAMED,
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
		name: 'after an empty replacement by moderation',
		events: [replace('', 'output_moderation'), finished({ answer: 'Secret' })],
		text: '',
	},
	{
		name: 'after an empty replacement without a reason',
		events: [replace(''), finished({ answer: 'All' })],
		text: 'All',
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
	test.each(rows)(
		'the text after a closing answer: $name',
		({ events, text: expected, displayed = expected }) => {
			const { result, displayedText } = playEvents(
				started,
				text('Start. '),
				text('End.'),
				...complete(events),
			);
			expect(result.text).toBe(expected);
			expect(displayedText).toBe(displayed);
		},
	);
});

test('after the end of the message, the first closing answer ends the run', () => {
	const { result } = playEvents(started, text('a'), END, finished({ answer: 'b' }), text('c'));
	expect(result.text).toBe('b');
});
