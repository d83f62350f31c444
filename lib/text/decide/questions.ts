import { invalidInput } from '../../errors/failure';
import { firstRepeated } from '../../values';
import type { Label } from '../labels';

export type QuestionKind = 'choice' | 'score' | 'yesNo';

/** A typed question about a text. */
export interface Question {
	/** The name of its answer. */
	name: string;
	kind: QuestionKind;
	/** The question in words. */
	text: string;
	/** What can be answered: the options of a choice, the levels of a score from the lowest on, or yes and no. */
	options: readonly Label[];
}

/** The answers to a question of the kind `yesNo`. */
export const YES_NO = ['yes', 'no'] as const;

/** By letters, each is a request of its own. */
const MAX_QUESTIONS = 1_000;
/** The most of TypeSafe's API and of llama-server, whose models may take fewer. */
const MAX_OPTIONS = 255;
/** The same API refuses others. */
const [LEAST_LEVELS, MOST_LEVELS] = [2, 10];

/** @throws {ServerError} of kind `invalidInput` for questions that nobody could answer, or whose answers would collide */
export function checkQuestions(questions: readonly Question[]): void {
	const count = questions.length;
	if (count === 0) throw wrong('There are no questions');
	if (count > MAX_QUESTIONS)
		throw wrong(`There are ${count} questions, and ${MAX_QUESTIONS} are the most`);
	const names = questions.map(({ name }) => name);
	const twice = firstRepeated(names);
	if (twice !== undefined) throw wrong(`Two questions have the name "${twice}"`);
	for (const question of questions) {
		const problem = problemOf(question);
		if (problem !== undefined) throw wrong(problem);
	}
}

function problemOf({ name, text, kind, options }: Question): string | undefined {
	if (name === '') return 'A question has no name';
	if (text.trim() === '') return `The question "${name}" is empty`;
	const count = options.length;
	if (kind === 'choice' && (count < 2 || count > MAX_OPTIONS))
		return `"${name}" needs 2 to ${MAX_OPTIONS} options, and has ${count}`;
	if (kind === 'score' && (count < LEAST_LEVELS! || count > MOST_LEVELS!))
		return `"${name}" needs ${LEAST_LEVELS} to ${MOST_LEVELS} levels, and has ${count}`;
	return problemOfOptions(name, options);
}

function problemOfOptions(name: string, options: readonly Label[]): string | undefined {
	const names = options.map((option) => option.name);
	if (names.includes('')) return `An option of "${name}" has no name`;
	const twice = firstRepeated(names);
	return twice === undefined ? undefined : `"${name}" has the option "${twice}" twice`;
}

function wrong(problem: string) {
	return invalidInput(problem, 'Correct the questions in the node.');
}
