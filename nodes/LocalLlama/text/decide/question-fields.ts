import type { INodeProperties } from 'n8n-workflow';

import {
	checkQuestions,
	type Question,
	type QuestionKind,
	YES_NO,
} from '../../../../lib/text/decide/questions';
import type { Label } from '../../../../lib/text/labels';
import { isRecord, plainNumber, words } from '../../../../lib/values';
import {
	choices,
	longTextField,
	numberField,
	rowsField,
	stringField,
} from '../../../shared/field-kinds';
import { isBlank, wrongField } from '../../../shared/field-values';
import type { NodeParameters } from '../../../shared/parameters';
import { rowFields, rowsIn } from '../../lists';

/** A question, and how sure its answer must be. */
interface AskedQuestion {
	question: Question;
	/** The least probability of an answer, from 0 to 1; 0: any. */
	threshold: number;
}

const KINDS = choices<QuestionKind>({
	choice: ['Choice', 'One of several options'],
	score: ['Score', 'A level of a scale'],
	yesNo: ['Yes or No', 'Whether something is so'],
});

const shownFor = (kind: QuestionKind) => ({ show: { kind: [kind] } });

/** Columns of a question, the name first. */
const columns: INodeProperties[] = [
	{
		displayName: 'Name',
		name: 'name',
		type: 'string',
		default: '',
		placeholder: 'e.g. route',
		description: 'The name of the answer in the item',
	},
	{ displayName: 'Kind', name: 'kind', type: 'options', default: 'choice', options: KINDS },
	stringField('Question', 'question', { placeholder: 'e.g. Who should answer this mail?' }),
	longTextField('Options', 'options', 4, {
		placeholder: 'billing: invoices and refunds\nsupport: something does not work\nsales',
		displayOptions: shownFor('choice'),
		description:
			'One option a line: its name, and if you like what belongs to it, after a colon. 2 to 255; an ordinary model takes 62.',
	}),
	longTextField('Levels', 'levels', 4, {
		placeholder: 'can wait\nthis week\ntoday',
		displayOptions: shownFor('score'),
		description: 'One level a line, from the lowest to the highest. 2 to 10.',
	}),
	stringField('Yes Means', 'yes', {
		placeholder: 'e.g. Somebody threatens to leave or to sue',
		displayOptions: shownFor('yesNo'),
	}),
	stringField('No Means', 'no', { displayOptions: shownFor('yesNo') }),
	numberField('Threshold', 'threshold', 0, {
		typeOptions: { minValue: 0, maxValue: 1, numberPrecision: 2 },
		description:
			'An answer that is less likely than this is marked as undecided. 0 = take every answer.',
	}),
];

export const questionFields: INodeProperties[] = rowFields(
	rowsField('Questions', 'questions', 'Question', {
		values: columns,
		typeOptions: { multipleValues: true, sortable: true },
		description: 'What to decide about the text. All of them are asked together.',
	}),
	{
		displayName: 'Question List',
		name: 'questionList',
		default: '={{ $json.questions }}',
		description:
			'A list of objects with name, kind (choice, score or yesNo), question, and: options (names, or objects with name and description), levels (texts, the lowest first), yes and no (what they mean), threshold (0 to 1)',
	},
);

/** @throws {ServerError} of kind `invalidInput` for questions that nobody could answer */
export function questionsIn(parameters: NodeParameters): AskedQuestion[] {
	const { rows, label } = rowsIn(parameters, 'questions', 'questionList');
	if (rows.length === 0) throw wrongField(label, 'is empty', 'Add at least one question.');
	const askedQuestions = rows.map((row) => questionOf(row, label));
	checkQuestions(askedQuestions.map(({ question }) => question));
	return askedQuestions;
}

function questionOf(row: unknown, label: string): AskedQuestion {
	if (!isRecord(row)) throw wrongField(label, `has an entry that is no question: ${words(row)}`);
	const name = textOf(row.name).trim();
	const kind = textOf(row.kind ?? 'choice');
	if (!isKind(kind))
		throw wrongField(label, `has a kind "${kind}" that does not exist, for "${name}"`);
	const threshold = isBlank(row.threshold) ? 0 : (plainNumber(row.threshold) ?? NaN);
	if (!(threshold >= 0 && threshold <= 1))
		throw wrongField(label, `has a threshold for "${name}" that is no number from 0 to 1`);
	const question = { name, kind, text: textOf(row.question), options: optionsOf(kind, row) };
	return { question, threshold };
}

function isKind(kind: string): kind is QuestionKind {
	return KINDS.some(({ value }) => value === kind);
}

function optionsOf(kind: QuestionKind, row: Record<string, unknown>): Label[] {
	if (kind === 'choice') return optionsIn(row.options);
	if (kind === 'score')
		return linesOrEntries(row.levels).map((level) => ({ name: textOf(level).trim() }));
	const [yes, no] = YES_NO;
	return [
		{ name: yes, description: textOf(row.yes) },
		{ name: no, description: textOf(row.no) },
	];
}

/** Options from lines "name: description", from a list of names or objects, or from an object with descriptions. */
export function optionsIn(value: unknown): Label[] {
	if (isRecord(value))
		return Object.entries(value).map(([name, description]) => labelOf({ name, description }));
	if (Array.isArray(value)) return value.map(labelOf);
	return linesOrEntries(value).map((line) => optionOfLine(textOf(line)));
}

function labelOf(entry: unknown): Label {
	if (!isRecord(entry)) return { name: textOf(entry).trim() };
	return { name: textOf(entry.name).trim(), description: textOf(entry.description).trim() };
}

/** The name stands before the first colon that white space follows, so that `10:30` is a name. */
function optionOfLine(line: string): Label {
	const [, name = line, description = ''] =
		/^([^:：]*(?::\S[^:：]*)*)(?::\s|：)(.*)$/.exec(line) ?? [];
	return { name: name.trim(), description: description.trim() };
}

function linesOrEntries(value: unknown): unknown[] {
	if (Array.isArray(value)) return value as unknown[];
	return textOf(value)
		.split(/\r\n|\r|\n/)
		.filter((line) => line.trim() !== '');
}

function textOf(value: unknown): string {
	return isBlank(value) ? '' : words(value);
}
