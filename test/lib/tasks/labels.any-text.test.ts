/** Labels of any names: their keys and prompt, and what is read from any text and from any tokens. */
import { LabelSet } from '../../../lib/tasks/labels';
import type { Label } from '../../../lib/tasks/labels';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';
import path from 'node:path';

const LABELS: Readonly<Record<string, readonly Label[]>> = {
	plain: [
		{ name: 'invoice', description: 'Asks for\nmoney' },
		{ name: 'offer' },
		{ name: 'Spam', description: ' ' },
	],
	keys: [{ name: 'B' }, { name: 'a' }, { name: '1' }, { name: '10' }],
	'commas and cases': [
		{ name: 'a, b' },
		{ name: 'Ärger.' },
		{ name: 'ärger' },
		{ name: 'C and D' },
	],
};
const TEXTS: readonly string[] = [
	'',
	' ',
	'A',
	'a',
	'B',
	'b.',
	'C',
	'D',
	'1',
	'10',
	'invoice',
	'INVOICE!',
	'"offer"',
	'A: invoice',
	'A: offer',
	'A - invoice',
	'A) Asks for money',
	'invoice - Asks for money',
	'A, B',
	'A,B,C',
	'A and B',
	'A\nB',
	'A, A',
	'A, x',
	'invoice, offer',
	'a, b',
	'Ärger',
	'ÄRGER.',
	'A\u0308rger',
	'C and D',
	'The answer is: offer',
	'Answer: B',
	'标签：A',
	'The label is A, B',
	'I think it is an offer.\nB',
	'B\nBecause it offers something.',
	'A\nBecause.\nB',
	'Because of invoice and offer.',
	'"A"',
	'["A","C"]',
	'[["A"],"B"]',
	'{"label":"A"}',
	'{"reason":"B","label":"A"}',
	'{"labels":["A","B"]}',
	'{"x":"B"}',
	'{"label":"x"}',
	'```json\n"A"\n```',
	'```\nA\n```',
	'**A**',
	'A.',
	'null',
	'true',
];

const toToken = (
	token: string,
	logprob: number,
	...top: ReadonlyArray<readonly [string, number]>
) => ({
	token,
	logprob,
	top_logprobs: top.map(([option, of]) => ({ token: option, logprob: of })),
});
const half = Math.log(0.5);
const TOKENS: Readonly<Record<string, readonly [tokens: unknown, text: string, labels: number[]]>> =
	{
		'one key': [[toToken('A', half, ['A', half], ['B', half - 1], ['x', 0])], 'A', [0]],
		'with and without a blank': [
			[toToken('A', half, ['A', half], [' A', half - 2], ['B', half])],
			'A',
			[0],
		],
		'in quotation marks': [[toToken('"A"', half, ['"A"', half], ['"B"', half])], '"A"', [0]],
		'of another label': [[toToken('B', half, ['A', half], ['B', half])], 'B', [0]],
		'no alternatives': [[toToken('A', half, ['A', half])], 'A', [0]],
		'alternatives without it': [[toToken('A', half, ['B', half], ['C', half])], 'A', [0]],
		'behind thinking': [
			[
				toToken('B', half, ['B', half], ['A', half]),
				toToken('A', half, ['A', half], ['B', half - 1]),
			],
			'A',
			[0],
		],
		'two keys': [
			[
				toToken('A', half, ['A', half], ['B', half]),
				toToken(',', 0, [',', 0], ['B', -9]),
				toToken('B', half, ['B', 0], ['C', half]),
			],
			'A,B',
			[0, 1],
		],
		'a positive number': [[toToken('A', 3, ['A', 3], ['B', 0])], 'A', [0]],
		nothing: [undefined, 'A', [0]],
		'no list': [{ a: 1 }, 'A', [0]],
	};

test('each text with each list of labels', () => {
	const rows = Object.entries(LABELS).map(([name, labels]) => {
		const set = new LabelSet(labels, true);
		const single = new LabelSet(labels, false);
		return {
			input: `labels ${name}`,
			outcome: [
				set.keys.join(''),
				set.format(),
				set.toGrammar(),
				single.toGrammar(),
				JSON.stringify(set.toSchema()),
				JSON.stringify(single.toSchema()),
			].join(' ; '),
		};
	});
	const outcomes = TEXTS.flatMap((text) =>
		Object.entries(LABELS).flatMap(([name, labels]) =>
			[false, true].map((isMultiLabel) => ({
				subject: JSON.stringify(text),
				place: `${name}${isMultiLabel ? ', several' : ''}`,
				outcome: JSON.stringify(new LabelSet(labels, isMultiLabel).parse(text)) ?? 'none',
			})),
		),
	);
	const set = new LabelSet(LABELS.plain!, true);
	const scores = Object.entries(TOKENS).map(([name, [tokens, text, labels]]) => ({
		input: `tokens ${name}`,
		outcome:
			JSON.stringify(
				set
					.computeScores(tokens, text, labels)
					?.map((list) => list.map((score) => Math.round(score * 1_000) / 1_000)),
			) ?? 'none',
	}));
	expectApproved(
		path.join(__dirname, 'labels.any-text.approved.txt'),
		[...rows, ...joinPlaces(outcomes), ...scores],
		'A text is read as labels only if it names them',
	);
});
