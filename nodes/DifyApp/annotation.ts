/** Annotations of a Dify app. */
import type { ListEndpoint } from '../../lib/dify/pages';
import { fetchAllPages } from '../../lib/dify/pages';
import { asNonEmptyString } from '../../lib/values/records';
import type { ListSearch } from '../shared/dify/editor-lists';
import { createListSearch } from '../shared/dify/editor-lists';
import type { DifyResource } from '../shared/dify/dify-operation';
import { defineListOperation, defineRequestOperation } from '../shared/dify/define-operation';
import { readId, readKeyword } from '../shared/dify/dify-fields';
import { resourceLocatorField, longTextField, stringField } from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';

/**
 * The annotations of the app, newest first.
 *
 * @param keyword part of question or answer, case-insensitive (docs/protocols/dify.md 2.12)
 */
function buildAnnotationList(keyword: string): ListEndpoint {
	return { path: '/apps/annotations', query: { keyword } };
}

const questionField = stringField('Question', 'question', {
	required: true,
	description: 'The question that users ask',
});

const answerField = longTextField('Answer', 'answer', 4, {
	required: true,
	description: 'The exact text that the app returns',
});

const annotationIdField = resourceLocatorField('Annotation', 'annotationId', 'searchAnnotations', {
	required: true,
});

/**
 * Reads both texts.
 *
 * @throws {ServerError} for empty ones, which Dify would store
 */
function readTexts(parameters: NodeParameters) {
	for (const name of ['question', 'answer']) parameters.requiredString(name);
	return { question: parameters.rawString('question'), answer: parameters.rawString('answer') };
}

export const annotations: DifyResource = {
	name: 'Annotation',
	value: 'annotation',
	description: 'Questions with predefined answers',
	operations: [
		defineListOperation({
			action: 'Get many annotations',
			description: 'List the questions and answers of the app with their usage count',
			fields: [
				stringField(
					'Keyword',
					'keyword',
					'Text that the question or the answer must contain. Leave empty for all.',
				),
			],
			list: (parameters) => buildAnnotationList(readKeyword(parameters)),
		}),
		defineRequestOperation({
			name: 'Create',
			value: 'create',
			action: 'Create an annotation',
			description: 'Add a question and its answer, even if the same question already exists',
			fields: [questionField, answerField],
			request: 'POST /apps/annotations',
			getValues: readTexts,
		}),
		defineRequestOperation({
			name: 'Update',
			value: 'update',
			action: 'Update an annotation',
			description: 'Change the question and the answer; Dify requires both',
			fields: [annotationIdField, questionField, answerField],
			isIdempotent: true,
			request: 'PUT /apps/annotations/{annotationId}',
			getValues: readTexts,
		}),
		defineRequestOperation({
			name: 'Delete',
			value: 'delete',
			action: 'Delete an annotation',
			description: 'Remove an annotation',
			fields: [annotationIdField],
			request: 'DELETE /apps/annotations/{annotationId}',
			toItems: (_response, parameters) => ({
				success: true,
				annotationId: readId(parameters, 'annotationId'),
			}),
		}),
	],
};

const MAX_RECORDS = 200;

/** The annotations of the app, for the list in the editor. */
export const searchAnnotations: ListSearch = createListSearch('app', async ({ client, filter }) => {
	const records = await fetchAllPages(client, buildAnnotationList(filter), MAX_RECORDS);
	return {
		results: records.map(({ id, question, answer }) => ({
			name: asNonEmptyString(question) ?? String(id),
			value: String(id),
			description: asNonEmptyString(answer),
		})),
	};
});
