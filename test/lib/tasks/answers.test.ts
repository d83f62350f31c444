import fc from 'fast-check';
import { parseAnswer } from '../../../lib/tasks/answers';
import type { Question } from '../../../lib/tasks/questions';
import { setOwn } from '../../../lib/values/own-properties';

const YES_NO: Question = { type: 'yesNo', name: 'q', instructions: 'Is it so?' };
const CHOICE: Question = {
	type: 'choice',
	name: 'q',
	instructions: 'Which?',
	options: [{ name: 'billing' }, { name: 'constructor' }],
};
const SCORE: Question = {
	type: 'score',
	name: 'q',
	instructions: 'How much?',
	levels: ['low', 'middle', 'high'],
};

const CHOSEN = {
	type: 'choice',
	choice: 'constructor',
	probabilities: { billing: 0.2, constructor: 0.8 },
	confidence: 0.6,
};

it.each([
	[YES_NO, { type: 'noul', noul: 0.6328 }, { type: 'yesNo', probability: 0.6328 }],
	// Some servers name no type.
	[YES_NO, { noul: 1.0000001 }, { type: 'yesNo', probability: 1 }],
	[CHOICE, CHOSEN, { type: 'choice', choice: 1, probabilities: [0.2, 0.8], confidence: 0.6 }],
	[CHOICE, { choice: 'billing' }, { type: 'choice', choice: 0 }],
	[
		SCORE,
		{ type: 'score', score: 1.2, probabilities: { 0: 0.1, 1: 0.6, 2: 0.3 }, legend: {} },
		{ type: 'score', score: 1.2, probabilities: [0.1, 0.6, 0.3] },
	],
])('the answer to %j: %j', (question, received, answer) => {
	expect(parseAnswer(question, { q: received })).toEqual({ ok: true, answer });
});

it.each([
	[YES_NO, undefined, 'is missing'],
	[YES_NO, null, 'is missing'],
	[YES_NO, true, 'is not an object'],
	[YES_NO, { type: 'choice', choice: 'a' }, 'has the type "choice" instead of "noul"'],
	[YES_NO, { noul: null }, 'has the probability null'],
	[YES_NO, { noul: '0.5' }, 'has the probability "0.5"'],
	[YES_NO, { noul: 1.5 }, 'has the probability 1.5'],
	[YES_NO, {}, 'has the probability undefined'],
	[CHOICE, { choice: 'sales' }, 'is "sales", which is none of its options'],
	[CHOICE, { choice: 1 }, 'is 1, which is none of its options'],
	[CHOICE, { ...CHOSEN, probabilities: [0.2, 0.8] }, 'has probabilities that are not an object'],
	[
		CHOICE,
		{ ...CHOSEN, probabilities: { billing: 0.2 } },
		'has the probability undefined for "constructor"',
	],
	[
		CHOICE,
		{ ...CHOSEN, probabilities: { billing: 0.2, constructor: 0.2 } },
		'has probabilities whose sum is 0.40 instead of 1',
	],
	[SCORE, { score: 3 }, 'has the score 3, which is not from 0 to 2'],
	[SCORE, { score: null }, 'has the score null, which is not from 0 to 2'],
	[SCORE, { score: 1, probabilities: { 0: 1 } }, 'has the probability undefined for "1"'],
])('what is no answer to %j: %j', (question, received, problem) => {
	expect(parseAnswer(question, { q: received })).toEqual({ ok: false, problem });
});

it('any answer is either an option of the question with probabilities from 0 to 1, or a problem', () => {
	const number = fc.oneof(fc.double(), fc.constantFrom(0, 0.5, 1));
	const received = fc.oneof(
		fc.jsonValue(),
		fc.record(
			{
				type: fc.constantFrom('noul', 'choice', 'score'),
				noul: number,
				choice: fc.oneof(fc.string(), fc.constantFrom('billing', 'constructor')),
				score: number,
				confidence: number,
				probabilities: fc.dictionary(
					fc.constantFrom('billing', 'constructor', '0', '1', '2'),
					number,
				),
			},
			{ requiredKeys: [] },
		),
	);
	fc.assert(
		fc.property(fc.constantFrom(YES_NO, CHOICE, SCORE), received, (question, value) => {
			const answers: Record<string, unknown> = {};
			setOwn(answers, 'q', value);
			const parsed = parseAnswer(question, answers);
			if (!parsed.ok) return expect(parsed.problem).toMatch(/^(?:is|has) /);
			const { answer } = parsed;
			const numbers = answer.type === 'yesNo' ? [answer.probability] : (answer.probabilities ?? []);
			expect(numbers.every((one) => one >= 0 && one <= 1)).toBe(true);
			if (answer.type === 'choice') expect([0, 1]).toContain(answer.choice);
			return undefined;
		}),
	);
});
