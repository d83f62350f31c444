import fc from 'fast-check';

import {
	keysFor,
	labelGrammar,
	labelLines,
	labelSchema,
	labelsIn,
	MAX_LABELS,
	scoresIn,
} from '../../../lib/text/labels';

const LABELS = [{ name: 'Invoice', description: ' wants\nmoney ' }, { name: 'art' }, { name: '投诉' }];

test('labels as the model reads them, and what it may write', () => {
	expect(labelLines(LABELS)).toBe('A: Invoice - wants money\nB: art\nC: 投诉');
	expect(labelGrammar(['A', 'B'], false)).toBe('root ::= "A" | "B"');
	expect(labelGrammar(['A', 'B'], true)).toBe('root ::= key ("," key){0,1}\nkey ::= "A" | "B"');
	expect(labelSchema(['A', 'B'], false)).toEqual({ type: 'string', enum: ['A', 'B'] });
	expect(labelSchema(['A', 'B'], true)).toMatchObject({ type: 'array', maxItems: 2 });
	expect(new Set(keysFor(MAX_LABELS)).size).toBe(62);
});

test.each([
	['the sign', 'A', [0]],
	['with a blank', ' B\n', [1]],
	['as JSON', '"C"', [2]],
	['as a JSON object', '{"category":"A"}', [0]],
	['with a full stop', 'A.', [0]],
	['in bold', '**B**', [1]],
	['the name', 'Invoice', [0]],
	['the name, in other letters', 'INVOICE.', [0]],
	['sign and name', 'B: art', [1]],
	['in a sentence', 'This text is about art.', [1]],
	['in a sentence, in Chinese', '这是投诉邮件', [2]],
])('an answer that names a label: %s', (_name, text, found) => {
	expect(labelsIn(text, LABELS, false)).toEqual(found);
	expect(labelsIn(text, LABELS, true)).toEqual(found);
});

test.each(['', 'I do not know', 'article', 'Z', 'A,B', '{}', '7', 'null'])('%j names no single label', (text) => {
	expect(labelsIn(text, LABELS, false)).toBeUndefined();
});

test.each([
	['A,C', [0, 2]],
	['["C","A"]', [2, 0]],
	['A, B, A', [0, 1]],
	['Invoice and art', [0, 1]],
	['Invoice\nart', [0, 1]],
])('several labels: %j', (text, found) => {
	expect(labelsIn(text, LABELS, true)).toEqual(found);
});

test('one name inside another does not count, nor a number that is no label', () => {
	expect(labelsIn('a work of art', [{ name: 'art' }, { name: 'work of art' }], true)).toEqual([0, 1]);
	expect(labelsIn('1', [{ name: '1' }, { name: '2' }], false)).toEqual([0]);
});

test('every way of writing signs is read, with any signs', () => {
	const many = keysFor(MAX_LABELS).map((key) => ({ name: `label ${key}${key}` }));
	fc.assert(
		fc.property(
			fc.uniqueArray(fc.nat(MAX_LABELS - 1), { minLength: 1 }),
			fc.constantFrom(',', ', ', '\n'),
			(at, glue) => {
				const signs = at.map((one) => keysFor(MAX_LABELS)[one]!);
				for (const text of [signs.join(glue), JSON.stringify(signs)]) expect(labelsIn(text, many, true)).toEqual(at);
			},
		),
	);
});

test('no text breaks the reading', () => {
	fc.assert(
		fc.property(fc.string(), fc.boolean(), (text, several) => {
			const found = labelsIn(text, LABELS, several) ?? [];
			expect(found.every((at) => at >= 0 && at < LABELS.length)).toBe(true);
		}),
	);
});

describe('probabilities', () => {
	const top = (...tokens: Array<[string, number]>) =>
		tokens.map(([token, probability]) => ({ token, logprob: Math.log(probability) }));

	test('of the signs among all tokens, with and without a blank in front; what is no label is left out', () => {
		const logprobs = [
			{ token: 'A', logprob: Math.log(0.3), top_logprobs: top(['The', 0.4], ['A', 0.3], [' A', 0.1], ['B', 0.1]) },
		];
		expect(scoresIn(logprobs, ['A', 'B', 'C'])).toEqual([[expect.closeTo(0.8), expect.closeTo(0.2), 0]]);
	});

	test('of a choice that is not among the likeliest tokens', () => {
		expect(scoresIn([{ token: 'B', logprob: -9, top_logprobs: top(['The', 0.9]) }], ['A', 'B'])).toEqual([[0, 1]]);
	});

	test('where the answer is JSON, as with Ollama: the quote may be part of the token', () => {
		const quoted = [
			{ token: '"', logprob: 0, top_logprobs: [] },
			{ token: 'A', logprob: -0.1, top_logprobs: top(['A', 0.75], ['B', 0.25]) },
			{ token: '"', logprob: 0, top_logprobs: [] },
		];
		expect(scoresIn(quoted, ['A', 'B'])).toEqual([[expect.closeTo(0.75), expect.closeTo(0.25)]]);
		expect(scoresIn([{ token: '"A', logprob: 0, top_logprobs: top(['"A', 0.5], ['"B', 0.5]) }], ['A', 'B'])).toEqual([
			[expect.closeTo(0.5), expect.closeTo(0.5)],
		]);
	});

	test.each([[undefined], [null], [[]], ['x'], [[{ token: 'x', logprob: 0 }]], [[{ token: 1 }]], [[null]]])(
		'none in %j',
		(logprobs) => {
			expect(scoresIn(logprobs, ['A', 'B'])).toBeUndefined();
		},
	);
});
