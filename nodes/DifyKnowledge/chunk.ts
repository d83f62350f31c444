/** Document chunks of a knowledge base. */
import { deletePath } from '../../lib/dify/knowledge/write-requests';
import { asNonEmptyString, omitUndefined, asRecord, asRecords } from '../../lib/values/records';
import type { DifyResource } from '../shared/dify/dify-operation';
import { defineListOperation, defineRequestOperation } from '../shared/dify/define-operation';
import { readId, readKeyword, readPath } from '../shared/dify/dify-fields';
import {
	ID_EXAMPLE,
	booleanField,
	longTextField,
	optionsCollection,
	stringField,
} from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';
import { documentField, keywordField, readTextList, datasetField } from './fields';

const chunkField = stringField('Chunk ID', 'chunkId', { required: true, placeholder: ID_EXAMPLE });
const documentFields = [datasetField, documentField];

/** Paths, whose names in braces are fields. */
const CHUNKS = '/datasets/{difyDatasetId}/documents/{documentId}/segments';
const CHUNK = `${CHUNKS}/{chunkId}` as const;

const contentField = longTextField(
	'Content',
	'content',
	3,
	'The text of the chunk; in a Q&A knowledge base, the question',
);

/** What a chunk may have besides its content. */
const optionalFields = [
	longTextField('Answer', 'answer', 3, 'Required in a Q&A knowledge base, ignored in others'),
	stringField(
		'Keywords',
		'keywords',
		'Separate with commas, or pass an array. If empty, Dify generates keywords.',
	),
];

/** The values of `optionalFields`, by the names of Dify. */
function readOptionalValues(parameters: NodeParameters) {
	return omitUndefined({
		answer: parameters.textOption('options.answer'),
		keywords: readTextList(parameters, 'options.keywords'),
	});
}

export const chunks: DifyResource = {
	name: 'Chunk',
	value: 'chunk',
	operations: [
		defineListOperation({
			action: 'Get many chunks',
			description: 'List chunks in order',
			fields: [...documentFields, keywordField],
			list: (parameters) => ({
				path: readPath(parameters, CHUNKS),
				query: { keyword: readKeyword(parameters) },
			}),
		}),
		defineRequestOperation({
			name: 'Get',
			value: 'get',
			action: 'Get a chunk',
			fields: [...documentFields, chunkField],
			request: `GET ${CHUNK}`,
			toItems: ({ data }) => asRecord(data),
		}),
		defineRequestOperation({
			name: 'Create',
			value: 'create',
			action: 'Create a chunk',
			fields: [
				...documentFields,
				{ ...contentField, required: true },
				optionsCollection(optionalFields),
			],
			request: `POST ${CHUNKS}`,
			getValues: (parameters) => ({
				segments: [
					{ content: parameters.requiredText('content'), ...readOptionalValues(parameters) },
				],
			}),
			toItems: ({ data }) => asRecords(data),
		}),
		{
			name: 'Update',
			value: 'update',
			action: 'Update a chunk',
			fields: [
				...documentFields,
				chunkField,
				optionsCollection([
					...optionalFields,
					contentField,
					booleanField(
						'Enabled',
						'enabled',
						true,
						'Whether searches find the chunk. Dify changes a disabled chunk only if the same update enables it. When you disable a chunk, no other changes apply.',
					),
				]),
			],
			execute: async ({ client, parameters }) => {
				const route = readPath(parameters, CHUNK);
				const current = await client.get(route);
				const { content, answer } = asRecord(current.data);
				const { data } = await client.sendJson('POST', route, {
					json: {
						segment: {
							// Dify clears omitted fields.
							content: parameters.textOption('options.content') ?? content,
							answer: asNonEmptyString(answer),
							enabled: parameters.boolean('options.enabled', undefined),
							// Otherwise searches still find the old child chunks.
							regenerate_child_chunks: current.doc_form === 'hierarchical_model' || undefined,
							...readOptionalValues(parameters),
						},
					},
				});
				return { json: asRecord(data) };
			},
		},
		{
			name: 'Delete',
			value: 'delete',
			action: 'Delete a chunk',
			fields: [...documentFields, chunkField],
			execute: async ({ client, parameters }) => ({
				json: {
					chunkId: readId(parameters, 'chunkId'),
					deleted: true,
					existed: await deletePath(client, readPath(parameters, CHUNK)),
				},
			}),
		},
	],
};
