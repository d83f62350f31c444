/** Annotations of a Dify app. */
import { apiPath } from '../../lib/dify/api-path';
import type { ListEndpoint } from '../../lib/dify/pages';
import { fetchAllPages } from '../../lib/dify/pages';
import { toName } from '../../lib/fields/check-value';
import type { FieldTable, LocatorField, Values, ValueSource } from '../../lib/fields/field';
import { createEmptyFieldError } from '../../lib/fields/field-errors';
import { asNonEmptyString } from '../../lib/values/records';
import { parseId, parseKeyword } from '../shared/dify/common-fields';
import type { ListSearch } from '../shared/dify/editor-lists';
import { createListSearch } from '../shared/dify/editor-lists';
import type { DifyResource } from '../shared/dify/dify-operation';
import { defineListOperation } from '../shared/dify/list-operation';
import { defineRequestOperation } from '../shared/dify/request-operation';

/**
 * The annotations of the app, newest first.
 *
 * @param keyword part of question or answer, case-insensitive (docs/protocols/dify.md 2.12)
 */
function buildAnnotationList(keyword: string): ListEndpoint {
	return { path: '/apps/annotations', query: { keyword } };
}

/** @throws {ServerError} for an empty text, which Dify would store */
function parseText(value: unknown, source: ValueSource): string {
	if (toName(source, value) === '') throw createEmptyFieldError(source);
	return String(value);
}

const textFields = {
	question: {
		kind: 'text',
		label: 'Question',
		required: true,
		description: 'The question that users ask',
		parse: parseText,
	},
	answer: {
		kind: 'text',
		label: 'Answer',
		rows: 4,
		required: true,
		description: 'The exact text that the app returns',
		parse: parseText,
	},
} as const satisfies FieldTable;

const annotationIdField = {
	kind: 'locator',
	label: 'Annotation',
	search: 'searchAnnotations',
	required: true,
	parse: parseId,
} as const satisfies LocatorField;

function toTexts({ question, answer }: Values<typeof textFields>) {
	return { question, answer };
}

export const annotations: DifyResource = {
	name: 'Annotation',
	value: 'annotation',
	description: 'Questions with predefined answers',
	operations: [
		defineListOperation({
			action: 'Get many annotations',
			description: 'List the questions and answers of the app with their usage count',
			fields: {
				keyword: {
					kind: 'name',
					label: 'Keyword',
					description: 'Text that the question or the answer must contain. Leave empty for all.',
					parse: parseKeyword,
				},
			},
			list: ({ values }) => buildAnnotationList(values.keyword),
		}),
		defineRequestOperation({
			name: 'Create',
			value: 'create',
			action: 'Create an annotation',
			description: 'Add a question and its answer, even if the same question already exists',
			fields: textFields,
			method: 'POST',
			getPath: () => '/apps/annotations',
			getValues: ({ values }) => toTexts(values),
		}),
		defineRequestOperation({
			name: 'Update',
			value: 'update',
			action: 'Update an annotation',
			description: 'Change the question and the answer; Dify requires both',
			fields: { annotationId: annotationIdField, ...textFields },
			isIdempotent: true,
			method: 'PUT',
			getPath: ({ values }) => apiPath`/apps/annotations/${values.annotationId}`,
			getValues: ({ values }) => toTexts(values),
		}),
		defineRequestOperation({
			name: 'Delete',
			value: 'delete',
			action: 'Delete an annotation',
			description: 'Remove an annotation',
			fields: { annotationId: annotationIdField },
			method: 'DELETE',
			getPath: ({ values }) => apiPath`/apps/annotations/${values.annotationId}`,
			toItems: (_response, { values: { annotationId } }) => ({ success: true, annotationId }),
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
