/** The answers of a decision model: each is checked against its question. Pure. */
import { asFiniteNumber } from '../values/numbers';
import { getOwn } from '../values/own-properties';
import type { JsonRecord } from '../values/records';
import { asString, isRecord } from '../values/records';
import type { ChoiceQuestion, Question, ScoreQuestion } from './questions';

/** The probability that the answer is yes. */
export interface YesNoAnswer {
	type: 'yesNo';
	/** From 0 to 1. */
	probability: number;
}

/** What the probabilities of several possibilities have in common. */
interface Distribution {
	/** Of each option or level, in the order of the question; undefined if the server reports none. */
	probabilities?: readonly number[];
	/** From 0, where all are equally likely, to 1. */
	confidence?: number;
}

export interface ChoiceAnswer extends Distribution {
	type: 'choice';
	/** Index of the option. */
	choice: number;
}

export interface ScoreAnswer extends Distribution {
	type: 'score';
	/** From 0 to the index of the highest level; it may be between two levels. */
	score: number;
}

export type Answer = YesNoAnswer | ChoiceAnswer | ScoreAnswer;

/** An answer, or what is wrong with it: a clause after "The answer to …". */
export type ParsedAnswer = { ok: true; answer: Answer } | { ok: false; problem: string };

/** Rounding of servers that send two decimals of 255 options. */
const MAX_SUM_ERROR = 0.05;

/** What a server calls the types. */
const WIRE_TYPES: Readonly<Record<Question['type'], string>> = {
	yesNo: 'noul',
	choice: 'choice',
	score: 'score',
};

/** Parses the answer to one question of a response's `answers`. */
export function parseAnswer(question: Question, answers: JsonRecord): ParsedAnswer {
	const received = getOwn(answers, question.name);
	if (received === undefined || received === null) return fail('is missing');
	if (!isRecord(received)) return fail('is not an object');
	const { type = WIRE_TYPES[question.type] } = received;
	if (type !== WIRE_TYPES[question.type])
		return fail(`has the type ${JSON.stringify(type)} instead of "${WIRE_TYPES[question.type]}"`);
	switch (question.type) {
		case 'yesNo':
			return parseYesNo(received);
		case 'choice':
			return parseChoice(question, received);
		case 'score':
			return parseScore(question, received);
	}
}

function fail(problem: string): ParsedAnswer {
	return { ok: false, problem };
}

function parseYesNo({ noul }: JsonRecord): ParsedAnswer {
	const probability = parseProbability(noul);
	return probability === undefined
		? fail(`has the probability ${show(noul)}`)
		: { ok: true, answer: { type: 'yesNo', probability } };
}

function parseChoice({ options }: ChoiceQuestion, received: JsonRecord): ParsedAnswer {
	const names = options.map(({ name }) => name);
	const choice = names.indexOf(asString(received.choice) ?? '');
	if (choice === -1) return fail(`is ${show(received.choice)}, which is none of its options`);
	const distribution = parseDistribution(received, names);
	if (typeof distribution === 'string') return fail(distribution);
	return { ok: true, answer: { type: 'choice', choice, ...distribution } };
}

function parseScore({ levels }: ScoreQuestion, received: JsonRecord): ParsedAnswer {
	const score = asFiniteNumber(received.score);
	const highest = levels.length - 1;
	if (score === undefined || score < 0 || score > highest)
		return fail(`has the score ${show(received.score)}, which is not from 0 to ${highest}`);
	const indexes = levels.map((_level, index) => String(index));
	const distribution = parseDistribution(received, indexes);
	if (typeof distribution === 'string') return fail(distribution);
	return { ok: true, answer: { type: 'score', score, ...distribution } };
}

/** @returns the problem, if the probabilities are none */
function parseDistribution(
	{ probabilities: received, confidence }: JsonRecord,
	names: readonly string[],
): Distribution | string {
	const confident = parseProbability(confidence);
	const common = confident === undefined ? {} : { confidence: confident };
	if (received === undefined) return common;
	if (!isRecord(received)) return 'has probabilities that are not an object';
	const probabilities: number[] = [];
	for (const name of names) {
		const value = getOwn(received, name);
		const probability = parseProbability(value);
		if (probability === undefined)
			return `has the probability ${show(value)} for ${JSON.stringify(name)}`;
		probabilities.push(probability);
	}
	const sum = probabilities.reduce((total, value) => total + value, 0);
	if (Math.abs(sum - 1) > MAX_SUM_ERROR)
		return `has probabilities whose sum is ${sum.toFixed(2)} instead of 1`;
	return { ...common, probabilities };
}

/** Numbers of the machine may be slightly above 1. */
const TOLERANCE = 1e-6;

function parseProbability(value: unknown): number | undefined {
	const number = asFiniteNumber(value);
	if (number === undefined || number < -TOLERANCE || number > 1 + TOLERANCE) return undefined;
	return Math.min(1, Math.max(0, number));
}

const MAX_SHOWN = 100;

function show(value: unknown): string {
	return value === undefined ? 'undefined' : JSON.stringify(value).slice(0, MAX_SHOWN);
}
