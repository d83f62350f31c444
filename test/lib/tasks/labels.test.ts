import fc from 'fast-check';
import { LabelSet } from '../../../lib/tasks/labels';
import type { Label } from '../../../lib/tasks/labels';

const parseLabels = (text: string, labels: readonly Label[], isMultiLabel: boolean) =>
	new LabelSet(labels, isMultiLabel).parse(text);
const assignKeys = (labels: readonly Label[]) => new LabelSet(labels, false).keys;

const MANY = Array.from({ length: 62 }, (_none, index) => ({ name: `label ${index}` }));
const LABELS = [
	{ name: 'Invoice', description: ' wants\nmoney ' },
	{ name: 'art' },
	{ name: '投诉' },
];

/** Forms in which a model may write the label %. */
const FORMS = [
	'“%”',
	'„%“',
	'„%”',
	'‚%‘',
	'‘%’',
	'«%»',
	'»%«',
	'‹%›',
	'「%」',
	'『%』',
	'《%》',
	'【%】',
	'（%）',
	'(%)',
	'[%]',
	'%',
	'"%"',
	'%.',
	'**%**',
	'Answer: %',
	'The answer is %.',
	'```\n%\n```',
	'{"label": "%"}',
	'Reasons.\n%',
	'% \n',
];

test('labels in the prompt, and the grammar and schema of their keys', () => {
	const [single, multiple] = [false, true].map((isMulti) => new LabelSet(LABELS.slice(1), isMulti));
	expect(new LabelSet(LABELS, false).format()).toBe('A: Invoice - wants money\nB: art\nC: 投诉');
	expect(single!.toGrammar()).toBe('root ::= "A" | "B"');
	expect(multiple!.toGrammar()).toBe('root ::= key ("," key){0,1}\nkey ::= "A" | "B"');
	expect(single!.toSchema()).toEqual({ type: 'string', enum: ['A', 'B'] });
	expect(multiple!.toSchema()).toMatchObject({ type: 'array', maxItems: 2 });
	expect(new Set(assignKeys(MANY)).size).toBe(62);
});

interface LabelledCompletion {
	name: string;
	completion: string;
	/** Index of its label. */
	label: number;
}

test.each<LabelledCompletion>([
	{ name: 'its sign', completion: 'A', label: 0 },
	{ name: 'its sign with a blank', completion: ' B\n', label: 1 },
	{ name: 'its sign as JSON', completion: '"C"', label: 2 },
	{ name: 'its sign in a JSON object', completion: '{"category":"A"}', label: 0 },
	{ name: 'its sign with a full stop', completion: 'A.', label: 0 },
	{ name: 'its sign in bold', completion: '**B**', label: 1 },
	{ name: 'its name', completion: 'Invoice', label: 0 },
	{ name: 'its name in capitals', completion: 'INVOICE.', label: 0 },
	{ name: 'its sign and name', completion: 'B: art', label: 1 },
	{ name: 'its sign and description', completion: 'A: wants money', label: 0 },
	{ name: 'its sign after "Answer"', completion: 'Answer: B', label: 1 },
	{
		name: 'its name after "the final answer is"',
		completion: 'So, the final answer is **Invoice**.',
		label: 0,
	},
	{ name: 'its sign after the Chinese word for answer', completion: '答案：C。', label: 2 },
	{ name: 'its sign in a code block', completion: '```\nB\n```', label: 1 },
	{
		name: 'JSON in a code block',
		completion: '```json\n{"label": "B", "confidence": 0.7}\n```',
		label: 1,
	},
	{
		name: 'its name in the last line',
		completion: 'Somebody wants to be paid.\n\nInvoice',
		label: 0,
	},
	{ name: 'its sign in lower case', completion: 'b', label: 1 },
	{ name: 'its sign in lower case and its name', completion: 'b) art', label: 1 },
	{
		name: 'its sign in the first line',
		completion: 'B\n\nBecause it is about painting.',
		label: 1,
	},
])('a label is read from $name', ({ completion, label }) => {
	expect({
		completion,
		single: parseLabels(completion, LABELS, false),
		multiple: parseLabels(completion, LABELS, true),
	}).toEqual({ completion, single: [label], multiple: [label] });
});

test.each([
	'',
	'I do not know',
	'article',
	'Z',
	'A,B',
	'{}',
	'7',
	'null',
	'A: art',
	'Answer: not A',
	'A or B',
	'A\n\nB',
	'This is definitely not art.',
	'This text is about art.',
	'This text is not about art.',
	'这不是投诉邮件',
	'Answer: A\nAnswer: B',
	'not A',
	'Art? No.',
])('%j contains no single label', (completion) => {
	expect(parseLabels(completion, LABELS, false)).toBeUndefined();
});

test.each([
	['A,C', [0, 2]],
	['["C","A"]', [2, 0]],
	['A, B, A', [0, 1]],
	['Invoice and art', [0, 1]],
	['Invoice\nart', [0, 1]],
])('several labels: %j', (text, expectedLabels) => {
	expect(parseLabels(text, LABELS, true)).toEqual(expectedLabels);
});

test('labels repeated for thousands of lines count once, and not if other text is between them', () => {
	const repeatedLabels = fc.record({
		names: fc.subarray(
			LABELS.map(({ name }) => name),
			{ minLength: 1 },
		),
		times: fc.constantFrom(1, 2, 20_000),
		separator: fc.constantFrom('\n', ', ', ' and '),
	});
	fc.assert(
		fc.property(repeatedLabels, ({ names, times, separator }) => {
			const text = Array.from({ length: times }, () => names.join(separator)).join(separator);
			const indexes = names.map((name) => LABELS.findIndex((label) => label.name === name));
			expect(parseLabels(text, LABELS, true)).toEqual(indexes);
			expect(
				parseLabels(`other${separator}${text}${separator}other`, LABELS, true),
			).toBeUndefined();
		}),
		{ numRuns: 12 },
	);
});

test('only the end of an endless completion is parsed', () => {
	const endless = 'Invoice\n'.repeat(300_000);
	expect(parseLabels(endless, LABELS, true)).toEqual([0]);
	expect(parseLabels(`${endless}Answer: ${LABELS[1]!.name}`, LABELS, true)).toEqual([1]);
});

test('each of 62 keys is parsed; case is ignored if the letter is unique', () => {
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 62 }), fc.nat(), (labelCount, pick) => {
			const labels = MANY.slice(0, labelCount);
			const keys = assignKeys(labels);
			const at = pick % labelCount;
			expect(parseLabels(keys[at]!, labels, false)).toEqual([at]);
			const lowerCaseKey = keys[at]!.toLowerCase();
			const lowerCaseIndex = keys.indexOf(lowerCaseKey);
			expect(parseLabels(lowerCaseKey, labels, false)).toEqual([
				lowerCaseIndex < 0 ? at : lowerCaseIndex,
			]);
		}),
	);
});

test('a name inside another does not count, nor a number that is not a label', () => {
	expect(
		parseLabels('Ru\u0308ckgabe', [{ name: 'R\u00fcckgabe' }, { name: 'Versand' }], false),
	).toEqual([0]);
	expect(parseLabels('work of art', [{ name: 'art' }, { name: 'work of art' }], true)).toEqual([1]);
	expect(parseLabels('1', [{ name: '1' }, { name: '2' }], false)).toEqual([0]);
});

test('every notation of keys is parsed, with any keys', () => {
	const keys = assignKeys(MANY);
	fc.assert(
		fc.property(
			fc.uniqueArray(fc.nat(62 - 1), { minLength: 1 }),
			fc.constantFrom(',', ', ', '\n'),
			(at, glue) => {
				const keyList = at.map((entry) => keys[entry]!);
				for (const text of [keyList.join(glue), JSON.stringify(keyList)])
					expect(parseLabels(text, MANY, true)).toEqual(at);
			},
		),
	);
});

test('a label is parsed in every form, for any names, and never as another label', () => {
	const names = fc.uniqueArray(
		fc.oneof(
			fc.constantFrom('A', 'B', 'b', '1', 'none', 'art'),
			fc.stringMatching(/^[a-zé]{1,8}( [a-z]{1,5})?$/),
		),
		{
			minLength: 2,
			maxLength: 8,
			selector: (name) => name.toLowerCase(),
		},
	);
	const form = fc.constantFrom(...FORMS);
	fc.assert(
		fc.property(names, fc.nat(), form, fc.boolean(), (labelNames, pick, entry, byKey) => {
			const labels = labelNames.map((name) => ({ name }));
			const at = pick % labels.length;
			const logprob = byKey ? assignKeys(labels)[at]! : labelNames[at]!;
			expect(parseLabels(entry.replace('%', logprob), labels, false)).toEqual([at]);
			for (const sentence of [
				'This is definitely not %.',
				'Is it %? Hardly.',
				'It could be %, or something else.',
			])
				expect(parseLabels(sentence.replace('%', logprob), labels, false)).toBeUndefined();
		}),
	);
});

test('no text makes the parser throw', () => {
	fc.assert(
		fc.property(fc.string(), fc.boolean(), (text, isMultiLabel) => {
			const expectedLabels = parseLabels(text, LABELS, isMultiLabel) ?? [];
			expect(expectedLabels.filter((at) => !(at >= 0 && at < LABELS.length))).toEqual([]);
		}),
	);
});

describe('probabilities', () => {
	const top = (...tokens: Array<[string, number]>) =>
		tokens.map(([token, probability]) => ({ token, logprob: Math.log(probability) }));

	const computeScores = (logprobs: unknown, text: string, label: number, count = 2) =>
		new LabelSet(LABELS.slice(0, count), false).computeScores(logprobs, text, [label]);

	test('from the keys among all tokens, with and without a leading space; other tokens are omitted', () => {
		const logprobs = [
			{
				token: 'A',
				logprob: Math.log(0.3),
				top_logprobs: top(['The', 0.4], ['A', 0.3], [' A', 0.1], ['B', 0.1]),
			},
		];
		expect(computeScores(logprobs, 'A', 0, 3)).toEqual([
			[expect.closeTo(0.8), expect.closeTo(0.2), 0],
		]);
	});

	test.each([
		['no alternatives', [{ token: 'A', logprob: -0.7 }]],
		['itself alone', [{ token: 'A', logprob: -0.7, top_logprobs: top(['A', 0.5]) }]],
		['others only', [{ token: 'A', logprob: -9, top_logprobs: top(['The', 0.9], ['B', 0.1]) }]],
	])('undefined for a choice that has %s', (_name, logprobs) => {
		expect(computeScores(logprobs, 'A', 0)).toBeUndefined();
	});

	test('from the token of the label, not from the reasoning before it', () => {
		const toReasoningToken = (token: string) => ({
			token,
			logprob: 0,
			top_logprobs: top([token, 0.99], ['B', 0.01]),
		});
		const logprob = { token: ' B', logprob: 0, top_logprobs: top([' B', 0.6], ['A', 0.4]) };
		const tokens = [
			...['<think>', 'A', ' it is', '</think>', 'Answer', ':'].map(toReasoningToken),
			logprob,
		];
		expect(computeScores(tokens, 'Answer: B', 1)).toEqual([
			[expect.closeTo(0.4), expect.closeTo(0.6)],
		]);
		expect(computeScores(tokens, 'invoice', 0)).toBeUndefined();
	});

	test('from the token of the label, whatever is before it', () => {
		const before = fc.array(fc.constantFrom('A', 'B', ' A', 'AB', '\n', 'so', '</think>', '文'));
		fc.assert(
			fc.property(before, fc.constantFrom('B', ' B', '"B'), (texts, token) => {
				const tokens = texts.map((text) => ({
					token: text,
					logprob: 0,
					top_logprobs: top([text, 0.9], ['A', 0.05], ['B', 0.05]),
				}));
				const label = { token, logprob: 0, top_logprobs: top([token, 0.6], ['A', 0.4]) };
				const scores = computeScores([...tokens, label], 'B', 1);
				expect({ texts, scores }).toEqual({
					texts,
					scores: [[expect.closeTo(0.4), expect.closeTo(0.6)]],
				});
			}),
		);
	});

	test('from JSON, as with Ollama: the quote may be part of the token', () => {
		const quotedTokens = [
			{ token: '"', logprob: 0, top_logprobs: [] },
			{ token: 'A', logprob: -0.1, top_logprobs: top(['A', 0.75], ['B', 0.25]) },
			{ token: '"', logprob: 0, top_logprobs: [] },
		];
		expect(computeScores(quotedTokens, '"A"', 0)).toEqual([
			[expect.closeTo(0.75), expect.closeTo(0.25)],
		]);
		const joinedToken = [{ token: '"A', logprob: 0, top_logprobs: top(['"A', 0.5], ['"B', 0.5]) }];
		expect(computeScores(joinedToken, '"A', 0)).toEqual([
			[expect.closeTo(0.5), expect.closeTo(0.5)],
		]);
	});

	test.each([
		[undefined],
		[null],
		[[]],
		['x'],
		[[{ token: 'x', logprob: 0 }]],
		[[{ token: 1 }]],
		[[null]],
	])('undefined for %j', (logprobs) => {
		expect(computeScores(logprobs, 'A', 0)).toBeUndefined();
	});
});

test('a name that is the beginning of another name is not used as its key', () => {
	const keys = assignKeys(['1', '2', '10', 'N', 'none', 'Z'].map((name) => ({ name })));
	expect(keys).toEqual([expect.not.stringMatching('1'), '2', ...keys.slice(2, 5), 'Z']);
	expect(keys[3]).not.toBe('N');
});
