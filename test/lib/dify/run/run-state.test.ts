import * as fc from 'fast-check';

import type { DifyAppMode } from '../../../../lib/dify/types';
import type { Step } from '../../../simulators/dify';
import { examples } from '../../../support/jest/properties';
import { EVENT_IDS, writeEvents, playEvents, textSteps } from '../play-events';

const END = { event: 'message_end', ...EVENT_IDS };
const data = (event: string, fields: object) => ({ event, task_id: 't', data: fields });

describe('events without a recording', () => {
	test("'message_file': a file, or text of a response with files", () => {
		const { result } = playEvents(
			{ event: 'message', ...EVENT_IDS, answer: 'a' },
			{ event: 'message_file', ...EVENT_IDS, id: 'f', type: 'image', url: '/f.png' },
			{ event: 'message_file', ...EVENT_IDS, answer: 'b' },
			END,
		);
		expect(result).toMatchObject({ text: 'ab', files: [{ id: 'f', url: '/f.png' }] });
	});

	test("'reasoning_chunk' is never part of the text", () => {
		const { result } = playEvents(
			data('reasoning_chunk', { reasoning: 'hm ' }),
			data('reasoning_chunk', { reasoning: 'well' }),
			{ event: 'message', ...EVENT_IDS, answer: 'a' },
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
			{ event: 'message', ...EVENT_IDS, answer: 'a', novel: [{}] },
			END,
		);
		expect(result).toMatchObject({
			text: 'a',
			warnings: ['2 event(s) of the stream could not be read and were skipped.'],
		});
	});

	test('nothing is read after the end', () => {
		const { result, isFinished } = playEvents(
			{ event: 'message', ...EVENT_IDS, answer: 'a' },
			END,
			{
				event: 'message',
				...EVENT_IDS,
				answer: 'b',
			},
		);
		expect([result.text, isFinished]).toEqual(['a', true]);
	});
});

const MODES: DifyAppMode[] = ['chat', 'agent-chat', 'agent', 'advanced-chat', 'completion'];

test('the displayed text is that of the result, and thinking before it stays, even after replacements', () => {
	const step = fc.constantFrom<Step>(
		{ text: 'a ' },
		{ text: '你好' },
		{ text: '<think>hm</think>b' },
		{ replace: 'other' },
		{ emit: 'brand_new', fields: {} },
	);
	fc.assert(
		fc.property(fc.constantFrom(...MODES), fc.array(step, { maxLength: 8 }), (mode, steps) => {
			const { result, displayedText } = playEvents(...writeEvents(mode, { steps }));
			expect(displayedText).toBe(result.text);
			const [first] = steps;
			const isThinkingFirst = first !== undefined && 'text' in first && first.text.includes('hm');
			if (isThinkingFirst)
				expect({ steps, reasoning: result.reasoning }).toMatchObject({ reasoning: 'hm' });
		}),
		examples(200),
	);
});

const fullText = '<think>a</think>b';
const positions = Array.from({ length: fullText.length - 1 }, (_, at) => at + 1);

test.each(MODES)(
	'reasoning is removed from the text, at whatever character its tags are split: %s',
	(mode) => {
		for (const position of positions) {
			const chunks = [fullText.slice(0, position), fullText.slice(position)];
			const isAgent = mode.startsWith('agent');
			const steps: Step[] = isAgent ? [{ round: { chunks } }] : textSteps(...chunks);
			const { result, displayedText } = playEvents(...writeEvents(mode, { steps }));
			expect({
				cut: position,
				text: result.text,
				reasoning: result.reasoning,
				shown: displayedText,
			}).toEqual({
				cut: position,
				text: 'b',
				reasoning: 'a',
				shown: 'b',
			});
		}
	},
);

describe('nodes, iterations and loops are told apart', () => {
	const KINDS = ['node', 'iteration', 'loop'] as const;
	const names = fc.constantFrom('a', 'b');
	/** An execution; an event may have its ID, or only that of its node. */
	const executions = fc.uniqueArray(
		fc.record({ kind: fc.constantFrom(...KINDS), id: names, hasId: fc.boolean() }),
		{ selector: ({ kind, id }) => `${kind} ${id}`, minLength: 1 },
	);
	const toIds = ({ id, hasId }: { id: string; hasId: boolean }) =>
		hasId ? { id, node_id: 'n' } : { node_id: id };

	test('by their kind and ID, in any order of their ends', () => {
		fc.assert(
			fc.property(executions, fc.boolean(), (list, isReversed) => {
				const ends = isReversed ? list.toReversed() : list;
				const { result } = playEvents(
					data('workflow_started', { id: 'r' }),
					...list.map((one) => data(`${one.kind}_started`, { ...toIds(one), title: one.kind })),
					...ends.map((one) =>
						data(`${one.kind}_${one.kind === 'node' ? 'finished' : 'completed'}`, {
							...toIds(one),
							status: 'succeeded',
							elapsed_time: KINDS.indexOf(one.kind),
						}),
					),
					data('workflow_finished', { id: 'r', status: 'succeeded', outputs: { text: 'a' } }),
				);
				const nodes = result.workflow?.nodes ?? [];
				expect(
					nodes.map(({ id, title, status, elapsedTime }) => [id, title, status, elapsedTime]),
				).toEqual(list.map(({ kind, id }) => [id, kind, 'succeeded', KINDS.indexOf(kind)]));
			}),
		);
	});
});
