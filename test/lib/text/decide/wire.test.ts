import fc from 'fast-check';

import type { Question } from '../../../../lib/text/decide/questions';
import { decisionBody, readDecisions } from '../../../../lib/text/decide/wire';

const options = (...names: string[]) => names.map((name) => ({ name }));
const choice = (name: string, ...names: string[]): Question => ({
	name,
	kind: 'choice',
	text: 'Which?',
	options: options(...names),
});
const score: Question = {
	name: 'urgency',
	kind: 'score',
	text: 'How urgent?',
	options: options('later', 'soon', 'now'),
};
const yesNo: Question = {
	name: 'person',
	kind: 'yesNo',
	text: 'A person?',
	options: [{ name: 'yes', description: 'angry' }, { name: 'no' }],
};

const input = { text: 'hello', media: [] };
const read = (answer: unknown, question: Question) =>
	readDecisions({ answers: { [question.name]: answer } }, [question])?.decisions[0];

test('S6: each type in the form of the API', () => {
	const route: Question = {
		...choice('route'),
		options: [{ name: 'billing', description: 'invoices' }, { name: 'sales' }],
	};
	expect(decisionBody('m', input, [route, score, yesNo])).toEqual({
		model: 'm',
		state: 'hello',
		questions: {
			route: {
				type: 'choice',
				instructions: 'Which?',
				criteria: { billing: 'invoices', sales: null },
			},
			urgency: {
				type: 'score',
				instructions: 'How urgent?',
				criteria: ['later', 'soon', 'now'],
			},
			person: { type: 'noul', instructions: 'A person?', criteria: { true: 'angry' } },
		},
	});
});

test('S6: a yes or no without descriptions has no criteria', () => {
	const bare: Question = { ...yesNo, options: options('yes', 'no') };
	const { questions } = decisionBody('m', input, [bare]);
	expect(questions).toEqual({ person: { type: 'noul', instructions: 'A person?' } });
});

test('S13: pictures and sound go as data URLs', () => {
	const media = [
		{ type: 'image' as const, url: 'data:image/png;base64,AA==' },
		{ type: 'audio' as const, data: 'AA==', format: 'wav' },
	];
	expect(decisionBody('m', { text: '', media }, [yesNo])).toMatchObject({
		state: '',
		images: ['data:image/png;base64,AA==', 'data:audio/wav;base64,AA=='],
	});
});

test('what a real server answered', () => {
	const answers = {
		intent: {
			type: 'choice',
			choice: 'cancel',
			probabilities: { refund: 0.164, cancel: 0.719, constructor: 0.117 },
			confidence: 0.578,
		},
		urgency: {
			type: 'score',
			score: 0.978,
			legend: { 0: 'later', 1: 'soon', 2: 'now' },
			probabilities: { 0: 0.145, 1: 0.732, 2: 0.123 },
		},
		person: { type: 'noul', noul: 0.182 },
	};
	const questions = [choice('intent', 'refund', 'cancel', 'constructor'), score, yesNo];
	const usage = { input_tokens: 206, output_tokens: 0 };
	expect(readDecisions({ model: 'm', answers, usage }, questions)).toEqual({
		model: 'm',
		usage: { promptTokens: 206, completionTokens: 0, totalTokens: 206 },
		decisions: [
			{ option: 1, probabilities: [0.164, 0.719, 0.117] },
			{ option: 1, probabilities: [0.145, 0.732, 0.123], score: 0.978 },
			{ option: 1, probabilities: [0.182, 1 - 0.182] },
		],
	});
});

test.each([
	['a missing answer', undefined],
	['null', null],
	['text', 'billing'],
	['an unknown option', { choice: 'nothing' }],
	['NaN', { probabilities: { a: null, b: NaN } }],
	['an unknown type', { type: 'ranking', order: ['a', 'b'] }],
])('S17: %s is no decision', (_name, answer) => {
	expect(read(answer, choice('q', 'a', 'b'))).toEqual({});
});

test.each([
	['more than all', { a: 0.9, b: 0.4 }],
	['too little', { a: 0.2, b: 0.2 }],
	['a part', { a: 1 }],
	['a negative one', { a: 1.2, b: -0.2 }],
	['text', { a: '0.5', b: '0.5' }],
])('S16: probabilities that do not add up are none, and the choice stays: %s', (_name, all) => {
	expect(read({ choice: 'b', probabilities: all }, choice('q', 'a', 'b'))).toEqual({ option: 1 });
});

test('S16: rounded probabilities add up', () => {
	const names = ['a', 'b', 'c'];
	const probabilities = { a: 0.33, b: 0.33, c: 0.33 };
	expect(read({ probabilities }, choice('q', ...names))).toMatchObject({ option: 0 });
});

test.each([-0.1, 1.1, '0.5', null, true])('S16: %p is no probability of yes', (noul) => {
	expect(read({ noul }, yesNo)).toEqual({});
});

test('a score without probabilities is the nearest level', () => {
	expect(read({ score: 1.6 }, score)).toEqual({ option: 2, score: 1.6 });
	expect(read({ score: 7 }, score)).toEqual({});
});

test('levels may come as a list', () => {
	expect(read({ probabilities: [0, 0, 1] }, score)).toEqual({
		option: 2,
		probabilities: [0, 0, 1],
		score: 2,
	});
});

test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
	'S11: a name that every object has, %s, is a name like any other',
	(name) => {
		const question = choice(name, name, 'b');
		const body = JSON.stringify(decisionBody('m', input, [question]));
		expect(JSON.parse(body)).toHaveProperty(['questions']);
		expect(body).toContain(`"${name}":{"type":"choice"`);
		const answers = JSON.parse(
			`{"${name}":{"choice":"${name}","probabilities":{"${name}":0.75,"b":0.25}}}`,
		) as unknown;
		expect(readDecisions({ answers }, [question])?.decisions).toEqual([
			{ option: 0, probabilities: [0.75, 0.25] },
		]);
		expect(readDecisions({ answers: {} }, [question])?.decisions).toEqual([{}]);
	},
);

test('no answers at all are no answer', () => {
	expect(readDecisions({ answers: [] }, [yesNo])).toBeUndefined();
	expect(readDecisions('<html>', [yesNo])).toBeUndefined();
});

const names = fc.uniqueArray(fc.string({ minLength: 1, unit: 'grapheme' }), {
	minLength: 2,
	maxLength: 20,
});

test('property: what a server answers to any options is read again, in any script', () => {
	fc.assert(
		fc.property(names, fc.nat(), fc.array(fc.nat({ max: 1000 })), (all, best, weights) => {
			const values = all.map((_name, at) => 1 + (weights[at] ?? 0));
			const sum = values.reduce((total, value) => total + value, 0);
			const probabilities = all.map((name, at) => [name, values[at]! / sum] as const);
			const chosen = all[best % all.length]!;
			const answer = { choice: chosen, probabilities: Object.fromEntries(probabilities) };
			const json = JSON.parse(JSON.stringify({ answers: { q: answer } })) as unknown;
			expect(readDecisions(json, [choice('q', ...all)])?.decisions).toEqual([
				{ option: best % all.length, probabilities: probabilities.map(([, value]) => value) },
			]);
		}),
	);
});

test('property: whatever comes, a probability is between 0 and 1, and the option exists', () => {
	fc.assert(
		fc.property(
			fc.jsonValue(),
			fc.constantFrom(choice('q', 'a', 'b'), score, yesNo),
			(answer, one) => {
				const decision = readDecisions({ answers: { [one.name]: answer } }, [one])?.decisions[0];
				const { option = 0, probabilities = [] } = decision ?? {};
				expect(option >= 0 && option < one.options.length).toBe(true);
				expect(probabilities.every((value) => value >= 0 && value <= 1.005)).toBe(true);
			},
		),
	);
});
