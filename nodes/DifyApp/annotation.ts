import { path, uuid } from '../../lib/dify/ids';
import { readList, type ListEndpoint } from '../../lib/dify/pagination';
import { nonEmptyText } from '../../lib/values';
import { editorList } from '../shared/dify/list-search';
import { locatorField } from '../shared/dify/fields';
import { listRow, row } from '../shared/dify/define-operation';
import { longTextField, stringField } from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';

/** Newest first. `keyword`: part of the question or the answer, case-insensitive (docs/protocols/dify.md 2.12). */
const annotations = (keyword: string): ListEndpoint => ({
	path: '/apps/annotations',
	query: { keyword },
});

const questionField = stringField('Question', 'question', {
	required: true,
	description: 'The question that users ask',
});

const answerField = longTextField('Answer', 'answer', 4, {
	required: true,
	description: 'The exact text that the app returns',
});

const annotationIdField = locatorField('Annotation', 'annotationId', 'searchAnnotations', {
	required: true,
});

const idIn = (parameters: NodeParameters) =>
	uuid(parameters.value('annotationId'), 'annotation ID');

/** Dify would store an empty text. @throws {ServerError} */
function textsIn(parameters: NodeParameters) {
	for (const name of ['question', 'answer']) parameters.required(name);
	return { question: parameters.freeText('question'), answer: parameters.freeText('answer') };
}

export const annotationGetAll = listRow({
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many annotations',
		description: 'List the questions and answers of the app with their usage count',
	},
	fields: [
		stringField('Keyword', 'keyword', {
			description: 'Text that the question or the answer must contain. Leave empty for all.',
		}),
	],
	list: (parameters) => annotations(parameters.name('keyword')),
});

export const annotationCreate = row({
	option: {
		name: 'Create',
		value: 'create',
		action: 'Create an annotation',
		description: 'Add a question and its answer, even if the same question already exists',
	},
	fields: [questionField, answerField],
	request: (parameters) => ['POST', '/apps/annotations', textsIn(parameters)],
});

export const annotationUpdate = row({
	option: {
		name: 'Update',
		value: 'update',
		action: 'Update an annotation',
		description: 'Change the question and the answer; Dify requires both',
	},
	fields: [annotationIdField, questionField, answerField],
	isIdempotent: true,
	request: (parameters) => [
		'PUT',
		path`/apps/annotations/${idIn(parameters)}`,
		textsIn(parameters),
	],
});

export const annotationDelete = row({
	option: {
		name: 'Delete',
		value: 'delete',
		action: 'Delete an annotation',
		description: 'Remove an annotation',
	},
	fields: [annotationIdField],
	request: (parameters) => ['DELETE', path`/apps/annotations/${idIn(parameters)}`],
	items: (_answer, parameters) => ({ success: true, annotationId: idIn(parameters) }),
});

const MOST_SHOWN = 200;

/** The annotations of the app, for the list in the editor. */
export const searchAnnotations = editorList(async ({ client, filter }) => {
	const records = await readList(client, annotations(filter), MOST_SHOWN);
	return {
		results: records.map(({ id, question, answer }) => ({
			name: nonEmptyText(question) ?? String(id),
			value: String(id),
			description: nonEmptyText(answer),
		})),
	};
});
