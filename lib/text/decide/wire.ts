/** Requests and answers of `/v1/systemone` (docs/protocols/llama-server-new.md 8). */
import type { MediaPart, Usage } from '../../chat/types';
import {
	asList,
	finiteNumber,
	isRecord,
	type JsonRecord,
	largestOf,
	nonEmptyText,
	optional,
	recordOf,
	text,
} from '../../values';
import type { Question } from './questions';
import { openAiUsage } from '../../chat/wire/counts';

/** What a model decided about a question. */
export interface Decision {
	/** The index of the option; undefined where the answer names none. */
	option?: number;
	/** The probability of each option; undefined where the server sends none, or none that add up. */
	probabilities?: number[];
	/** The mean level of a score, from 0 on. */
	score?: number;
	/** The model's text, if it names no option. */
	unread?: string;
}

export interface Decisions {
	/** One for each question, in their order. */
	decisions: Decision[];
	usage?: Usage;
	model?: string;
}

export interface DecisionInput {
	text: string;
	media: readonly MediaPart[];
}

export function decisionBody(
	model: string,
	{ text: state, media }: DecisionInput,
	questions: readonly Question[],
): JsonRecord {
	return {
		model,
		state,
		...(media.length === 0 ? {} : { images: media.map(dataUrlOf) }),
		questions: Object.fromEntries(questions.map((one) => [one.name, wireQuestion(one)])),
	};
}

function wireQuestion({ kind, text: instructions, options }: Question): object {
	if (kind === 'yesNo') return { type: 'noul', instructions, ...criteriaOfYesNo(options) };
	if (kind === 'score')
		return { type: 'score', instructions, criteria: options.map(({ name }) => name) };
	const criteria = options.map(({ name, description }) => [name, description?.trim() || null]);
	return { type: 'choice', instructions, criteria: Object.fromEntries(criteria) as object };
}

function criteriaOfYesNo([yes, no]: Question['options']) {
	const [whenTrue, whenFalse] = [yes, no].map((option) =>
		nonEmptyText(option?.description?.trim()),
	);
	const criteria = optional({ true: whenTrue, false: whenFalse });
	return Object.keys(criteria).length === 0 ? {} : { criteria };
}

function dataUrlOf(part: MediaPart): string {
	return part.type === 'audio' ? `data:audio/${part.format};base64,${part.data}` : part.url;
}

/** The answer to a request with these questions; undefined where it is none. */
export function readDecisions(
	json: unknown,
	questions: readonly Question[],
): Decisions | undefined {
	const { answers, usage, model } = recordOf(json);
	if (!isRecord(answers)) return undefined;
	return {
		decisions: questions.map((question) => readDecision(own(answers, question.name), question)),
		...optional({ usage: openAiUsage(usage), model: nonEmptyText(model) }),
	};
}

/** A field by any name, also one that every object inherits, such as `constructor`. */
function own(fields: JsonRecord, name: string): unknown {
	return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function readDecision(answer: unknown, question: Question): Decision {
	if (!isRecord(answer)) return {};
	if (question.kind === 'yesNo') return readYesNo(answer.noul);
	const list = listOf(answer.probabilities, question);
	const probabilities = addsUp(list) ? list : undefined;
	if (question.kind === 'score') return readScore(answer.score, probabilities, question);
	const named = question.options.findIndex(({ name }) => name === text(answer.choice));
	const option = named >= 0 ? named : likeliest(probabilities);
	return optional({ option, probabilities });
}

function readYesNo(noul: unknown): Decision {
	const yes = finiteNumber(noul);
	if (yes === undefined || yes < 0 || yes > 1) return {};
	return { option: yes >= 0.5 ? 0 : 1, probabilities: [yes, 1 - yes] };
}

function readScore(
	value: unknown,
	probabilities: number[] | undefined,
	{ options }: Question,
): Decision {
	const mean = finiteNumber(value);
	const isLevel = mean !== undefined && mean >= 0 && mean <= options.length - 1;
	const score = isLevel ? mean : meanLevel(probabilities);
	const option = likeliest(probabilities) ?? (score === undefined ? undefined : Math.round(score));
	return optional({ option, probabilities, score });
}

/** The mean level, by the probability of each. */
export function meanLevel(probabilities: readonly number[] | undefined): number | undefined {
	return probabilities?.reduce((sum, probability, level) => sum + probability * level, 0);
}

function likeliest(probabilities: readonly number[] | undefined): number | undefined {
	return probabilities?.indexOf(largestOf(probabilities));
}

/** Levels go by their number: as keys of an object, or as a list. */
function listOf(probabilities: unknown, { kind, options }: Question): unknown[] {
	if (Array.isArray(probabilities)) return asList(probabilities);
	const byKey = recordOf(probabilities);
	return options.map(({ name }, level) => own(byKey, kind === 'score' ? String(level) : name));
}

/** What servers that round to two decimals may lose with each option. */
const ROUNDING = 0.005;

/** Whether these are probabilities of all options. */
function addsUp(list: readonly unknown[]): list is number[] {
	const isProbability = (value: unknown) =>
		typeof value === 'number' && value >= 0 && value <= 1 + ROUNDING;
	if (list.length === 0 || !list.every(isProbability)) return false;
	const sum = (list as number[]).reduce((total, one) => total + one, 0);
	return Math.abs(sum - 1) <= ROUNDING * (list.length + 1);
}
