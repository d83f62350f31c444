/** The questions of a decision, and their form in a request. */
import { createInputError } from '../errors/create-error';
import { findDuplicate } from '../values/lists';
import type { TextChange } from '../text/turn-tokens';
import { setOwn } from '../values/own-properties';
import type { JsonRecord } from '../values/records';

/** An option of a choice. */
export interface QuestionOption {
	name: string;
	description?: string;
}

interface BaseQuestion {
	/** The field of the result, and the key of the answer. */
	name: string;
	/** The question itself. */
	instructions: string;
}

/** Whether something is so. */
export interface YesNoQuestion extends BaseQuestion {
	type: 'yesNo';
	/** When the answer is yes. */
	yes?: string;
	/** When the answer is no. */
	no?: string;
}

/** One of several options. */
export interface ChoiceQuestion extends BaseQuestion {
	type: 'choice';
	options: readonly QuestionOption[];
}

/** How much of something there is. */
export interface ScoreQuestion extends BaseQuestion {
	type: 'score';
	/** Descriptions, lowest level first. */
	levels: readonly string[];
}

export type Question = YesNoQuestion | ChoiceQuestion | ScoreQuestion;

/** Of the System One API: docs/protocols/llama-server.md 10. */
const MIN_LEVELS = 2;
const MAX_LEVELS = 10;

/** Of one item. Models have lower limits for the options of a question, which the server names. */
const MAX_QUESTIONS = 1_000;

/** @throws {ServerError} of type `invalidInput` for questions that no model can answer */
export function assertQuestions(questions: readonly Question[]): void {
	const issue = findListIssue(questions) ?? questions.map(findIssue).find(Boolean);
	if (issue !== undefined)
		throw createInputError(issue, 'Correct the questions in the node.', {
			field: 'Questions',
			inputProblem: questions.length === 0 ? 'empty' : 'wrong',
		});
}

function findListIssue(questions: readonly Question[]): string | undefined {
	if (questions.length === 0) return 'There are no questions';
	if (questions.length > MAX_QUESTIONS)
		return `There are ${questions.length} questions (maximum ${MAX_QUESTIONS})`;
	const duplicate = findDuplicate(questions.map(({ name }) => name));
	return duplicate === undefined ? undefined : `There are two questions named "${duplicate}"`;
}

function findIssue(question: Question): string | undefined {
	const { name, instructions, type } = question;
	if (name === '') return 'A question has no name';
	if (instructions.trim() === '') return `The question "${name}" has no text`;
	if (type === 'choice') return findOptionIssue(question);
	if (type !== 'score') return undefined;
	const { levels } = question;
	if (levels.some((level) => level.trim() === ''))
		return `A level of the question "${name}" is empty`;
	return levels.length < MIN_LEVELS || levels.length > MAX_LEVELS
		? `The question "${name}" has ${levels.length} levels (minimum ${MIN_LEVELS}, maximum ${MAX_LEVELS})`
		: undefined;
}

function findOptionIssue({ name, options }: ChoiceQuestion): string | undefined {
	const names = options.map((option) => option.name);
	if (names.length < 2) return `The question "${name}" has fewer than two options`;
	if (names.includes('')) return `An option of the question "${name}" has no name`;
	const duplicate = findDuplicate(names);
	return duplicate === undefined
		? undefined
		: `The question "${name}" has two options named "${duplicate}"`;
}

/** A question with all its texts changed, also the names of its options. */
export function changeQuestion(question: Question, change: TextChange): Question {
	const base = { name: change(question.name), instructions: change(question.instructions) };
	switch (question.type) {
		case 'choice': {
			const options = question.options.map(({ name, description = '' }) => ({
				name: change(name),
				description: change(description),
			}));
			return { ...base, type: 'choice', options };
		}
		case 'score':
			return { ...base, type: 'score', levels: question.levels.map(change) };
		case 'yesNo': {
			const { yes = '', no = '' } = question;
			return { ...base, type: 'yesNo', yes: change(yes), no: change(no) };
		}
	}
}

/** The questions as the System One API names them. */
export function toWireQuestions(questions: readonly Question[]): JsonRecord {
	const wire: JsonRecord = {};
	for (const question of questions) setOwn(wire, question.name, toWireQuestion(question));
	return wire;
}

function toWireQuestion(question: Question): JsonRecord {
	const { instructions } = question;
	switch (question.type) {
		case 'choice':
			return { type: 'choice', instructions, criteria: toCriteria(question.options) };
		case 'score':
			return { type: 'score', instructions, criteria: question.levels };
		case 'yesNo': {
			const { yes = '', no = '' } = question;
			const criteria = { true: yes || 'yes', false: no || 'no' };
			return { type: 'noul', instructions, ...((yes || no) && { criteria }) };
		}
	}
}

function toCriteria(options: readonly QuestionOption[]): JsonRecord {
	const criteria: JsonRecord = {};
	for (const { name, description = '' } of options) setOwn(criteria, name, description || null);
	return criteria;
}
