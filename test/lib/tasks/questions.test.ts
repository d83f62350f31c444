import fc from 'fast-check';
import { assertQuestions, toWireQuestions } from '../../../lib/tasks/questions';
import type { Question } from '../../../lib/tasks/questions';

const yesNo = (name: string, instructions = 'Is it so?'): Question => ({
	type: 'yesNo',
	name,
	instructions,
});
const choice = (names: readonly string[]): Question => ({
	type: 'choice',
	name: 'team',
	instructions: 'Which?',
	options: names.map((name) => ({ name })),
});
const score = (levels: readonly string[]): Question => ({
	type: 'score',
	name: 'urgency',
	instructions: 'How urgent?',
	levels,
});
const count = (length: number) => Array.from({ length }, (_, at) => `n${at}`);

it.each([
	[[], 'There are no questions'],
	[count(1_001).map((name) => yesNo(name)), 'There are 1001 questions (maximum 1000)'],
	[[yesNo('a'), yesNo('a')], 'There are two questions named "a"'],
	[[yesNo('')], 'A question has no name'],
	[[yesNo('a', ' ')], 'The question "a" has no text'],
	[[choice(['a'])], 'The question "team" has fewer than two options'],
	[[choice(['a', ''])], 'An option of the question "team" has no name'],
	[[choice(['a', 'b', 'a'])], 'The question "team" has two options named "a"'],
	[[score(['a'])], 'The question "urgency" has 1 levels (minimum 2, maximum 10)'],
	[[score(count(11))], 'The question "urgency" has 11 levels (minimum 2, maximum 10)'],
	[[score(['a', ' '])], 'A level of the question "urgency" is empty'],
])('%j is an error before anything is sent', (questions, message) => {
	expect(() => assertQuestions(questions)).toThrow(message);
});

it('up to a thousand questions, 2,000 options and ten levels are sent', () => {
	expect(() => {
		assertQuestions([
			...count(998).map((name) => yesNo(name)),
			choice(count(2_000)),
			score(count(10)),
		]);
	}).not.toThrow();
});

it('are sent as System One names them', () => {
	const questions: Question[] = [
		{ ...yesNo('angry'), yes: 'shouts', no: '' } as Question,
		yesNo('late'),
		{ ...choice(['a']), options: [{ name: 'a', description: 'first' }, { name: 'b' }] } as Question,
		score(['low', 'high']),
	];
	expect(toWireQuestions(questions)).toEqual({
		angry: { type: 'noul', instructions: 'Is it so?', criteria: { true: 'shouts', false: 'no' } },
		late: { type: 'noul', instructions: 'Is it so?' },
		team: { type: 'choice', instructions: 'Which?', criteria: { a: 'first', b: null } },
		urgency: { type: 'score', instructions: 'How urgent?', criteria: ['low', 'high'] },
	});
});

it('every name is a key of its own, in any script', () => {
	fc.assert(
		fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2 }), (names) => {
			const sent = JSON.stringify(toWireQuestions([choice([...names, '__proto__x', '__proto__'])]));
			const { team } = JSON.parse(sent) as { team: { criteria: object } };
			expect(Object.keys(team.criteria).toSorted()).toEqual(
				[...new Set([...names, '__proto__x', '__proto__'])].toSorted(),
			);
		}),
	);
});
