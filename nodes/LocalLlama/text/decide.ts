import { keepAny } from '../../../lib/fields/check-value';
import type { ChoiceLabel, FieldTable, Values } from '../../../lib/fields/field';
import type { Labelled } from '../../../lib/fields/field-errors';
import { createEmptyFieldError, createFieldError } from '../../../lib/fields/field-errors';
import { withSentFiles } from '../../../lib/files/file-errors';
import { rethrowWith } from '../../../lib/errors/server-error';
import type { Answer } from '../../../lib/tasks/answers';
import type { Decision } from '../../../lib/tasks/decide';
import { decide } from '../../../lib/tasks/decide';
import type { Question, QuestionOption } from '../../../lib/tasks/questions';
import { round } from '../../../lib/values/numbers';
import { setOwn } from '../../../lib/values/own-properties';
import { asRecord, isRecord, isUnset, omitUndefined } from '../../../lib/values/records';
import { findOrigin, getOrigin, isAdded, joinOrigins } from '../../shared/fields/read-values';
import { modelField } from '../../shared/fields/model-selection';
import { generationRequestOptions } from '../../shared/fields/request-options';
import { readRows } from '../list-fields';
import { resolveModelRequestSettings } from '../model-request-settings';
import { itemOptionsField, toolNotice } from '../operation-fields';
import { withOutput } from '../output';
import type { LocalLlamaOperation } from '../run-local-llama';
import { reportResult } from './generate-text';
import { binaryFieldsField, readItemFiles } from './item-files';

const LABEL_BY_TYPE = {
	choice: ['Choice', 'One of several options'],
	score: ['Score', 'A level from the lowest, 0, to the highest'],
	yesNo: ['Yes or No', 'True or false'],
} as const satisfies Record<Question['type'], ChoiceLabel>;

const fields = {
	model: modelField('The decision model', { search: 'searchDecisionModels', example: 'nimble' }),
	state: {
		kind: 'text',
		label: 'State',
		rows: 4,
		default: '={{ $json.text }}',
		description: 'What the questions are about: a text, or an object from an expression',
		parse: keepAny,
		agent: { name: 'state', description: 'The complete text that the questions are about' },
	},
	toolNotice: toolNotice('The agent passes the state only. Add the questions.'),
	questions: {
		kind: 'rows',
		label: 'Questions',
		entry: 'Question',
		isSortable: true,
		// Columns of a row, the name first.
		fields: {
			name: {
				kind: 'name',
				label: 'Name',
				placeholder: 'e.g. team',
				description: 'Field of the result',
			},
			type: { kind: 'choice', label: 'Type', default: 'yesNo', choices: LABEL_BY_TYPE },
			question: {
				kind: 'text',
				label: 'Question',
				rows: 2,
				placeholder: 'e.g. Which team should handle this?',
			},
			options: {
				kind: 'text',
				label: 'Options',
				rows: 3,
				placeholder: 'e.g. billing: Payments and refunds',
				shownIf: { type: ['choice'] },
				description: 'One option per line, with an optional description after a colon',
				parse: keepAny,
			},
			levels: {
				kind: 'text',
				label: 'Levels',
				rows: 3,
				placeholder: 'e.g. can wait',
				shownIf: { type: ['score'] },
				description: 'One level per line, the lowest first: 2 to 10',
				parse: keepAny,
			},
			yes: {
				kind: 'text',
				label: 'Yes Means',
				placeholder: 'e.g. The customer asks for money back',
				shownIf: { type: ['yesNo'] },
			},
			no: {
				kind: 'text',
				label: 'No Means',
				placeholder: 'e.g. The customer only asks a question',
				shownIf: { type: ['yesNo'] },
			},
		},
		description: 'Each becomes a field of the result',
	},
	options: itemOptionsField({
		...generationRequestOptions,
		binaryFields: binaryFieldsField('They come before the state.'),
		questionList: {
			kind: 'json',
			label: 'Question List',
			default: '={{ $json.questions }}',
			parse: keepAny,
			description:
				'Replaces Questions with a list from an expression: an array of objects with name, type (yesNo, choice or score), question, and options (names, or objects with name and description), levels, or yes and no',
		},
		threshold: {
			kind: 'number',
			label: 'Threshold',
			default: 0.5,
			range: [0, 1],
			decimals: 2,
			description: 'The probability from which the answer to a Yes or No question is true',
		},
	}),
} as const satisfies FieldTable;

export const textDecide: LocalLlamaOperation = withOutput({
	name: 'Decide',
	value: 'decide',
	action: 'Decide questions about a text',
	description: 'Answer typed questions with probabilities, with a decision model',
	mainFields: ['state'],
	outputField: 'decision',
	fields,
	execute: async (call) => {
		const { values, server } = call;
		const { state, options } = values;
		const questions = readQuestions(values);
		const threshold = options.threshold ?? fields.options.fields.threshold.default;
		const extraBody = options.extraBody ?? {};
		const { parts, files } = await readItemFiles(call);
		const isEmpty = isUnset(state) || (typeof state === 'string' && state.trim() === '');
		if (isEmpty && parts.length === 0) throw createEmptyFieldError(fields.state);
		const settings = await resolveModelRequestSettings(call, 'decisions');
		const decision = await decide(server, settings, {
			state: isEmpty ? '' : state,
			stateOrigin: getOrigin(values, 'state'),
			promptSource: 'state',
			files: parts,
			questions,
			questionOrigin: joinOrigins(
				findOrigin(values, 'questions'),
				findOrigin(options, 'questionList'),
			),
			extraBody,
		}).catch(rethrowWith((error) => withSentFiles(error, files)));
		reportResult(call, decision);
		const output: Record<string, unknown> = {};
		for (const [at, question] of questions.entries())
			setOwn(output, question.name, toValue(question, decision.answers[at]!, threshold));
		return [{ output, metadata: toMetadata(decision, questions) }];
	},
});

/** The field of the item. */
function toValue(question: Question, answer: Answer, threshold: number): unknown {
	if (answer.type === 'yesNo') return answer.probability >= threshold;
	if (answer.type === 'score') return round(answer.score, 4);
	return question.type === 'choice' ? question.options[answer.choice]!.name : null;
}

/** The probabilities of each question, by their names, and what all have in common. */
function toMetadata(
	{ answers, usage, model, server }: Decision,
	questions: readonly Question[],
): object {
	const details: Record<string, object> = {};
	for (const [at, question] of questions.entries())
		setOwn(details, question.name, toDetails(question, answers[at]!));
	return { answers: details, usage, model, server };
}

function toDetails(question: Question, answer: Answer): object {
	if (answer.type === 'yesNo') return { probability: round(answer.probability, 4) };
	const { probabilities, confidence } = answer;
	const names =
		question.type === 'choice'
			? question.options.map(({ name }) => name)
			: (probabilities ?? []).map((_probability, level) => String(level));
	const byName: Record<string, number> = {};
	for (const [at, probability] of (probabilities ?? []).entries())
		setOwn(byName, names[at]!, round(probability, 4));
	return omitUndefined({
		probabilities: probabilities && byName,
		confidence: confidence === undefined ? undefined : round(confidence, 4),
	});
}

/** Reads the questions from the form, or from a list. */
function readQuestions({ questions: form, options: list }: Values<typeof fields>): Question[] {
	const { rows, field } = readRows({
		form: fields.questions,
		getRows: () =>
			form.map(({ name, type, question, options, levels, yes, no }) => ({
				name,
				type,
				question,
				options,
				levels,
				yes,
				no,
			})),
		list: fields.options.fields.questionList,
		isListed: isAdded(list, 'questionList'),
		listed: list.questionList,
	});
	if (rows.length === 0)
		throw createEmptyFieldError(field, 'Add a question, such as "Is the customer angry?".');
	return rows.map((row) => toQuestion(row, field));
}

function toQuestion(row: unknown, field: Labelled): Question {
	if (!isRecord(row)) throw createFieldError(field, 'has a question that is not an object');
	const { type = 'yesNo', question, yes, no } = row;
	const base = { name: toText(row.name), instructions: toText(question ?? row.instructions) };
	switch (type) {
		case 'yesNo':
			return { ...base, type, yes: toText(yes), no: toText(no) };
		case 'choice':
			return { ...base, type, options: toLines(row.options).map(toOption) };
		case 'score':
			return { ...base, type, levels: toLines(row.levels).map(toText) };
		default:
			throw createFieldError(field, `has the unknown type "${String(type)}"`);
	}
}

function toText(value: unknown): string {
	return isUnset(value) ? '' : String(value).trim();
}

/** Lines of the form; the entries of a list stay as they are. */
function toLines(value: unknown): unknown[] {
	if (Array.isArray(value)) return value as unknown[];
	return toText(value)
		.split('\n')
		.map((line) => line.trim())
		.filter((line) => line !== '');
}

function toOption(value: unknown): QuestionOption {
	if (isRecord(value)) {
		const { name, description } = asRecord(value);
		return { name: toText(name), description: toText(description) };
	}
	const text = toText(value);
	const colon = text.search(/:\s|：/);
	return colon === -1
		? { name: text }
		: { name: text.slice(0, colon).trim(), description: text.slice(colon + 1).trim() };
}
