import * as fc from 'fast-check';

import type { DifyAppMode } from '../../../../lib/dify/types';
import type { Step } from '../../../simulators/dify';
import { examples } from '../../../support/properties';
import { ENV, eventsOf, playEvents, said } from '../play-events';

const END = { event: 'message_end', ...ENV };
const data = (event: string, fields: object) => ({ event, task_id: 't', data: fields });

describe('events without a recording', () => {
	test("'message_file': a file, or text of a response with files", () => {
		const { result } = playEvents(
			{ event: 'message', ...ENV, answer: 'a' },
			{ event: 'message_file', ...ENV, id: 'f', type: 'image', url: '/f.png' },
			{ event: 'message_file', ...ENV, answer: 'b' },
			END,
		);
		expect(result).toMatchObject({ text: 'ab', files: [{ id: 'f', url: '/f.png' }] });
	});

	test("'reasoning_chunk' is never part of the text", () => {
		const { result } = playEvents(
			data('reasoning_chunk', { reasoning: 'hm ' }),
			data('reasoning_chunk', { reasoning: 'well' }),
			{ event: 'message', ...ENV, answer: 'a' },
			END,
		);
		expect(result).toMatchObject({ text: 'a', reasoning: 'hm well' });
	});

	test.each(['human_input_form_filled', 'human_input_form_timeout'])(
		'%s closes its form',
		(event) => {
			const { result } = playEvents(
				data('human_input_required', { form_id: '1', node_id: 'n' }),
				data('human_input_required', { form_id: '2', node_id: 'm' }),
				data(event, { node_id: 'n' }),
				data('workflow_paused', { status: 'paused' }),
			);
			expect(result.pause?.forms.map(({ formId }) => formId)).toEqual(['2']);
		},
	);
	// Named for test/package/dify-events.test.ts: 'human_input_form_filled', 'human_input_form_timeout'.

	test('a form event without form, node and token is ignored; the pause after it contains the form', () => {
		const form = { TYPE: 'human_input_required', form_id: 'f', node_id: 'n', form_token: 'x' };
		const { result } = playEvents(
			data('human_input_required', {}),
			data('workflow_paused', { status: 'paused', reasons: [form] }),
		);
		expect(result.pause?.forms).toMatchObject([{ formId: 'f', formToken: 'x' }]);
		expect(result.pause?.forms).toHaveLength(1);
	});
});

describe('undocumented events', () => {
	test('unknown events and fields change nothing, and events that are not objects are counted', () => {
		const { result } = playEvents(
			{ event: 'brand_new', answer: 'no', data: 5 },
			[1],
			undefined,
			{ event: 'message', ...ENV, answer: 'a', novel: [{}] },
			END,
		);
		expect(result).toMatchObject({
			text: 'a',
			warnings: ['2 event(s) of the stream could not be read and were skipped.'],
		});
	});

	test('nothing is read after the end', () => {
		const { result, isOver } = playEvents({ event: 'message', ...ENV, answer: 'a' }, END, {
			event: 'message',
			...ENV,
			answer: 'b',
		});
		expect([result.text, isOver]).toEqual(['a', true]);
	});
});

const MODES: DifyAppMode[] = ['chat', 'agent-chat', 'agent', 'advanced-chat', 'completion'];

test('the displayed text is that of the result, even after replacements', () => {
	const piece = fc.constantFrom<Step>(
		{ text: 'a ' },
		{ text: '你好' },
		{ text: '<think>hm</think>b' },
		{ replace: 'other' },
		{ emit: 'brand_new', fields: {} },
	);
	fc.assert(
		fc.property(fc.constantFrom(...MODES), fc.array(piece, { maxLength: 8 }), (mode, steps) => {
			const { result, shown } = playEvents(...eventsOf(mode, { steps }));
			expect(shown).toBe(result.text);
		}),
		examples(200),
	);
});

describe('reasoning is split off, wherever its tags are cut', () => {
	const whole = '<think>a</think>b';
	const cuts = Array.from({ length: whole.length - 1 }, (_, at) => at + 1);

	test.each(MODES)('%s', (mode) => {
		for (const cut of cuts) {
			const pieces = [whole.slice(0, cut), whole.slice(cut)];
			const isAgent = mode.startsWith('agent');
			const steps: Step[] = isAgent ? [{ round: { chunks: pieces } }] : said(...pieces);
			const { result, shown } = playEvents(...eventsOf(mode, { steps }));
			expect({ cut, text: result.text, reasoning: result.reasoning, shown }).toEqual({
				cut,
				text: 'b',
				reasoning: 'a',
				shown: 'b',
			});
		}
	});
});
