import * as fc from 'fast-check';

import { assembleBytes } from '../../assemble';
import { NewText } from '../../../../../lib/chat/answer/transforms/whole-texts';
import { wire } from '../../../../support/streams';

function read(pieces: readonly string[]): string {
	const reader = new NewText();
	return pieces.map((piece) => reader.push(piece)).join('') + reader.end();
}

it.each<[string, string[], string]>([
	[
		'all the text in each piece',
		['Hello', 'Hello there', 'Hello there, friend'],
		'Hello there, friend',
	],
	[
		'the same, one piece repeated',
		['Hello', 'Hello there', 'Hello there', 'Hello there!'],
		'Hello there!',
	],
	['the same, two pieces', ['Hello there', 'Hello there, friend'], 'Hello there, friend'],
	['two pieces that prove nothing', ['Hello', 'Hello there'], 'HelloHello there'],
	[
		'lines that grow',
		[
			'-',
			'--',
			'---',
			'----',
			'-----',
			'------',
			'-------',
			'--------',
			'---------',
			' x',
			'-',
			'--',
		],
		`${'-'.repeat(45)} x---`,
	],
	['bullets', ['- ', '- a', '\n', '- ', 'b'], '- - a\n- b'],
	['pieces', ['Hello', ' there', ', friend'], 'Hello there, friend'],
	['pieces of which one begins with the one before', ['ha', 'haha', ' ha'], 'hahaha ha'],
	['the same at the end', ['ha', 'haha'], 'hahaha'],
	['numbers', ['1', '10', '100', ' = 111?'], '110100 = 111?'],
	['line breaks', ['\n', '\n\n', 'a'], '\n\n\na'],
	['empty pieces', ['', 'a', '', 'b'], 'ab'],
	['nothing', [], ''],
])('%s', (_what, pieces, text) => {
	expect(read(pieces)).toBe(text);
});

it('is never repeated, however the text grows', () => {
	fc.assert(
		fc.property(
			fc.string({ minLength: 12 }),
			fc.array(fc.nat(), { minLength: 2 }),
			(rest, places) => {
				const text = `The text ${rest}`;
				const ends = [
					...new Set([...places.map((place) => 9 + (place % (text.length - 8))), text.length]),
				].sort((a, b) => a - b);
				expect(read(ends.map((end) => text.slice(0, end)))).toBe(text);
			},
		),
	);
});

const chunk = (content: string, more: object = {}) => ({
	choices: [{ index: 0, delta: { content }, ...more }],
});

it('in a stream: the text is not repeated', () => {
	const { text, result } = assembleBytes([
		wire([
			chunk('The '),
			chunk('The weather'),
			chunk('The weather is'),
			chunk('The weather is fine.', { finish_reason: 'stop' }),
			'[DONE]',
		]),
	]);
	expect(text).toBe('The weather is fine.');
	expect(result).toMatchObject({ answer: { text: 'The weather is fine.' } });
});

it('a server that counts choices from 1 is read at the end, and other choices beside the first are not', () => {
	const second = (content: string, more: object = {}) => ({
		choices: [{ index: 1, delta: { content }, ...more }],
	});
	expect(
		assembleBytes([wire([second('Hel'), second('lo', { finish_reason: 'stop' }), '[DONE]'])]),
	).toMatchObject({
		text: 'Hello',
		result: { answer: { text: 'Hello', finishReason: 'stop' } },
	});
	expect(assembleBytes([wire([second('Hello', { finish_reason: 'stop' })])])).toMatchObject({
		text: 'Hello',
	});
	const both = [
		second('no'),
		chunk('yes'),
		second('!', { finish_reason: 'length' }),
		chunk('', { finish_reason: 'stop' }),
	];
	expect(assembleBytes([wire([...both, '[DONE]'])]).result).toMatchObject({
		answer: { text: 'yes', finishReason: 'stop' },
	});
});
