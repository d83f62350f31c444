import fc from 'fast-check';

import { ThinkingPresenter } from '../../../../lib/chat/answer/thinking-presenter';

type Step = [text: string, reasoning: string];

function present(showThinking: boolean, steps: Step[]) {
	const presenter = new ThinkingPresenter(showThinking);
	const pieces = [
		...steps.map(([text, reasoning]) => presenter.show({ text, reasoning })),
		presenter.end(),
	];
	expect(presenter.shown).toBe(pieces.join(''));
	return pieces.join('');
}

describe('what the reader sees', () => {
	it.each<[Step[], string, string]>([
		[
			[
				['a', ''],
				['b', ''],
			],
			'ab',
			'ab',
		],
		[
			[
				['', 'Hm, '],
				['', 'so.'],
				['Yes', ''],
				['.', ''],
			],
			'<think>\nHm, so.\n</think>\n\nYes.',
			'Yes.',
		],
		[[['Yes.', 'Hm.']], '<think>\nHm.\n</think>\n\nYes.', 'Yes.'],
		[[['', 'Hm.']], '<think>\nHm.\n</think>\n\n', ''],
		[
			[
				['', '\n'],
				['', '\nHm.\n'],
				['Yes.', ''],
			],
			'<think>\nHm.\n\n</think>\n\nYes.',
			'Yes.',
		],
		[
			[
				['', '\n\n'],
				['Yes.', ''],
			],
			'Yes.',
			'Yes.',
		],
		[[['', ' ']], '', ''],
		[
			[
				['One', ''],
				['', 'Hm'],
				['two', ''],
			],
			'One<think>\nHm\n</think>\n\ntwo',
			'Onetwo',
		],
		[[], '', ''],
	])('%j', (steps, withThinking, without) => {
		expect(present(true, steps)).toBe(withThinking);
		expect(present(false, steps)).toBe(without);
	});

	it('tags always come in pairs, and the answer is always whole', () => {
		const words = fc.constantFrom('', ' ', '\n', 'a', 'b.');
		fc.assert(
			fc.property(fc.array(fc.tuple(words, words)), (steps) => {
				const shown = present(true, steps);
				const blocks = shown.match(/<think>\n[^<]*\n<\/think>\n\n/g) ?? [];
				expect(shown.split('<think>')).toHaveLength(blocks.length + 1);
				expect(shown.split('</think>')).toHaveLength(blocks.length + 1);
				expect(blocks.reduce((rest, block) => rest.replace(block, ''), shown)).toBe(
					steps.map(([text]) => text).join(''),
				);
			}),
		);
	});
});
