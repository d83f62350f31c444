/** Document chunks of a knowledge base. */
import { apiPath } from '../../lib/dify/api-path';
import { deletePath } from '../../lib/dify/knowledge/write-requests';
import type { FieldTable, OptionValues, TextField, Values } from '../../lib/fields/field';
import { asNonEmptyString, omitUndefined, asRecord, asRecords } from '../../lib/values/records';
import { parseId } from '../shared/dify/common-fields';
import type { DifyCall, DifyResource } from '../shared/dify/dify-operation';
import { defineListOperation } from '../shared/dify/list-operation';
import { defineRequestOperation } from '../shared/dify/request-operation';
import { optionsField } from '../shared/fields/options-field';
import { ID_EXAMPLE } from '../shared/fields/to-properties';
import { defineOperation } from '../shared/items/define-operation';
import type { FieldValues } from '../shared/items/define-operation';
import { documentFields, keywordField, parseTextList } from './fields';

/** A chunk of a document. */
const chunkFields = {
	...documentFields,
	chunkId: {
		kind: 'name',
		label: 'Chunk ID',
		required: true,
		placeholder: ID_EXAMPLE,
		parse: parseId,
	},
} as const satisfies FieldTable;

function chunksPath({ difyDatasetId, documentId }: Values<typeof documentFields>) {
	return apiPath`/datasets/${difyDatasetId}/documents/${documentId}/segments`;
}

function chunkPath({ difyDatasetId, documentId, chunkId }: Values<typeof chunkFields>) {
	return apiPath`/datasets/${difyDatasetId}/documents/${documentId}/segments/${chunkId}`;
}

const contentField = {
	kind: 'text',
	label: 'Content',
	rows: 3,
	description: 'The text of the chunk; in a Q&A knowledge base, the question',
} as const satisfies TextField;

/** What a chunk may have besides its content. */
const optionalFields = {
	answer: {
		kind: 'text',
		label: 'Answer',
		rows: 3,
		description: 'Required in a Q&A knowledge base, ignored in others',
	},
	keywords: {
		kind: 'text',
		label: 'Keywords',
		description: 'Separate with commas, or pass an array. If empty, Dify generates keywords.',
		parse: parseTextList,
	},
} as const satisfies FieldTable;

/** The values of `optionalFields`, by the names of Dify. */
function toOptionalValues({ answer, keywords }: OptionValues<typeof optionalFields>) {
	return omitUndefined({ answer, keywords });
}

const updateFields = {
	...chunkFields,
	options: optionsField({
		...optionalFields,
		content: contentField,
		enabled: {
			kind: 'switch',
			label: 'Enabled',
			default: true,
			description:
				'Whether searches find the chunk. Dify changes a disabled chunk only if the same update enables it. When you disable a chunk, no other changes apply.',
		},
	}),
} as const satisfies FieldTable;

export const chunks: DifyResource = {
	name: 'Chunk',
	value: 'chunk',
	operations: [
		defineListOperation({
			action: 'Get many chunks',
			description: 'List chunks in order',
			fields: { ...documentFields, keyword: keywordField },
			list: ({ values }) => ({
				path: chunksPath(values),
				query: { keyword: values.keyword },
			}),
		}),
		defineRequestOperation({
			name: 'Get',
			value: 'get',
			action: 'Get a chunk',
			fields: chunkFields,
			method: 'GET',
			getPath: ({ values }) => chunkPath(values),
			toItems: ({ data }) => asRecord(data),
		}),
		defineRequestOperation({
			name: 'Create',
			value: 'create',
			action: 'Create a chunk',
			fields: {
				...documentFields,
				content: { ...contentField, required: true },
				options: optionsField(optionalFields),
			},
			method: 'POST',
			getPath: ({ values }) => chunksPath(values),
			getValues: ({ values: { content, options } }) => ({
				segments: [{ content, ...toOptionalValues(options) }],
			}),
			toItems: ({ data }) => asRecords(data),
		}),
		defineOperation({
			name: 'Update',
			value: 'update',
			action: 'Update a chunk',
			fields: updateFields,
			execute: updateChunk,
		}),
		defineOperation({
			name: 'Delete',
			value: 'delete',
			action: 'Delete a chunk',
			fields: chunkFields,
			execute: async ({ client, values }: DifyCall & FieldValues<typeof chunkFields>) => {
				await deletePath(client, chunkPath(values));
				return { json: { chunkId: values.chunkId, deleted: true } };
			},
		}),
	],
};

async function updateChunk({ client, values }: DifyCall & FieldValues<typeof updateFields>) {
	const route = chunkPath(values);
	const { content: newContent, enabled } = values.options;
	const optionalValues = toOptionalValues(values.options);
	const current = await client.get(route);
	const { content, answer } = asRecord(current.data);
	const { data } = await client.sendJson('POST', route, {
		json: {
			segment: {
				// Dify clears omitted fields.
				content: newContent ?? content,
				answer: asNonEmptyString(answer),
				enabled,
				// Otherwise searches still find the old child chunks.
				regenerate_child_chunks: current.doc_form === 'hierarchical_model' || undefined,
				...optionalValues,
			},
		},
	});
	return { json: asRecord(data) };
}
