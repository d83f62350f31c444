/** Knowledge bases of a workspace. */
import { createParamError } from '../../lib/dify/create-error';
import { deletePath, WRITE_TIMEOUT_MS } from '../../lib/dify/knowledge/write-requests';
import { buildDatasetList } from '../../lib/dify/knowledge/datasets';
import { toEmbeddingModelFields } from '../../lib/dify/knowledge/models';
import {
	truncateQuery,
	getIgnoredFilterWarning,
	retrieve,
} from '../../lib/dify/knowledge/retrieval';
import { apiPath } from '../../lib/dify/api-path';
import { fetchAllPages } from '../../lib/dify/pages';
import { ServerError } from '../../lib/errors/server-error';
import { omitUndefined } from '../../lib/values/records';
import type { FieldTable, NameField, OptionValues } from '../../lib/fields/field';
import { simplifyField } from '../shared/dify/common-fields';
import type { DifyCall, DifyResource } from '../shared/dify/dify-operation';
import { defineListOperation } from '../shared/dify/list-operation';
import { defineRequestOperation } from '../shared/dify/request-operation';
import { searchFields, toRetrievalOptions } from '../shared/dify/search-fields';
import { optionsField } from '../shared/fields/options-field';
import { defineOperation } from '../shared/items/define-operation';
import type { FieldValues } from '../shared/items/define-operation';
import { toOperationItems } from '../shared/items/operation-items';
import { datasetField, embeddingModelField, keywordField, techniqueField } from './fields';

const nameField = {
	kind: 'name',
	label: 'Name',
	description: 'Up to 40 characters; must be unique in the workspace',
} as const satisfies NameField;

const settings = {
	description: {
		kind: 'text',
		label: 'Description',
		description: 'Up to 400 characters',
	},
	embeddingModel: {
		...embeddingModelField,
		description:
			'For the technique High Quality. If not set, Dify uses the default model of the workspace.',
	},
	permission: {
		kind: 'choice',
		label: 'Permission',
		default: 'all_team_members',
		choices: {
			all_team_members: 'All Team Members',
			only_me: [
				'Only the Owner',
				'Only the workspace owner, as whom the key acts, sees the knowledge base in Dify',
			],
		},
		description:
			'Who can see the knowledge base in Dify. The key acts as the workspace owner, so this node defaults to All Team Members.',
	},
	technique: {
		...techniqueField,
		description:
			'How documents are indexed. If not set, the first document decides; it cannot be changed later.',
	},
} as const satisfies FieldTable;

function toSettings({
	description,
	permission,
	technique,
	embeddingModel,
}: OptionValues<typeof settings>) {
	// Without the technique, Dify silently ignores the model.
	const defaultTechnique = embeddingModel === undefined ? undefined : 'high_quality';
	return omitUndefined({
		description,
		permission,
		indexing_technique: technique ?? defaultTechnique,
		...toEmbeddingModelFields(embeddingModel),
	});
}

const retrieveFields = {
	difyDatasetId: datasetField,
	query: {
		kind: 'text',
		label: 'Query',
		required: true,
		description:
			'The search query, up to 250 characters. Longer queries from an agent are truncated.',
	},
	topK: searchFields.topK,
	metadataFilters: searchFields.metadataFilters,
	simplify: { ...simplifyField, isOptional: true },
	options: searchFields.options,
} as const satisfies FieldTable;

const createFields = {
	name: { ...nameField, required: true },
	options: optionsField({
		...settings,
		ifExists: {
			kind: 'choice',
			label: 'If It Exists',
			default: 'fail',
			choices: {
				fail: 'Fail',
				use: ['Use Existing', 'Return the existing knowledge base unchanged'],
			},
		},
	}),
} as const satisfies FieldTable;

const deleteFields = {
	difyDatasetId: datasetField,
	confirm: {
		kind: 'switch',
		label: 'Confirm Deletion of All Documents',
		default: false,
		description:
			'Whether to delete the knowledge base with all its documents. This cannot be undone.',
	},
} as const satisfies FieldTable;

export const knowledgeBases: DifyResource = {
	name: 'Knowledge Base',
	value: 'knowledgeBase',
	operations: [
		defineOperation({
			name: 'Retrieve',
			value: 'retrieve',
			action: 'Retrieve from a knowledge base',
			description: 'Find the chunks that match a query',
			fields: retrieveFields,
			execute: retrieveChunks,
		}),
		defineListOperation({
			action: 'Get many knowledge bases',
			description: 'List the knowledge bases of the workspace, newest first',
			fields: { keyword: keywordField },
			list: ({ values }) => buildDatasetList(values.keyword),
		}),
		defineRequestOperation({
			name: 'Get',
			value: 'get',
			action: 'Get a knowledge base',
			fields: { difyDatasetId: datasetField },
			method: 'GET',
			getPath: ({ values }) => apiPath`/datasets/${values.difyDatasetId}`,
		}),
		defineOperation({
			name: 'Create',
			value: 'create',
			action: 'Create a knowledge base',
			fields: createFields,
			execute: createKnowledgeBase,
		}),
		defineRequestOperation({
			name: 'Update',
			value: 'update',
			action: 'Update a knowledge base',
			fields: {
				difyDatasetId: datasetField,
				options: optionsField({ ...settings, name: { ...nameField, label: 'New Name' } }),
			},
			method: 'PATCH',
			getPath: ({ values }) => apiPath`/datasets/${values.difyDatasetId}`,
			getValues: ({ values: { options } }) => ({
				...toSettings(options),
				name: options.name || undefined,
			}),
			timeoutMs: WRITE_TIMEOUT_MS,
		}),
		defineOperation({
			name: 'Delete',
			value: 'delete',
			action: 'Delete a knowledge base',
			description: 'Delete a knowledge base and all its documents, even if apps use it',
			fields: deleteFields,
			execute: deleteKnowledgeBase,
		}),
	],
};

async function retrieveChunks(call: DifyCall & FieldValues<typeof retrieveFields>) {
	const { client, context, hint, values } = call;
	const search = toRetrievalOptions(values);
	// The type of an agent tool ends with "Tool".
	const isTool = context.getNode().type.endsWith('Tool');
	// Dify searches for spaces.
	const { query: text, difyDatasetId: datasetId, simplify } = values;
	const { query, isTruncated } = isTool ? truncateQuery(text) : { query: text, isTruncated: false };
	if (isTruncated) hint('The query was truncated to 250 characters, the maximum in Dify.');
	const result = await retrieve(client, { datasetId, query, ...search });
	const warning = getIgnoredFilterWarning(result.filteredOut);
	if (warning !== undefined) hint(warning);
	return toOperationItems(simplify ? result.hits : result.records);
}

async function createKnowledgeBase({
	client,
	values,
}: DifyCall & FieldValues<typeof createFields>) {
	const { name, options } = values;
	const { ifExists } = options;
	const json = { permission: 'all_team_members', ...toSettings(options), name };
	const creating = client.sendJson('POST', '/datasets', { json, timeoutMs: WRITE_TIMEOUT_MS });
	const dataset = await creating.catch(async (error: unknown) => {
		const isTaken = error instanceof ServerError && error.type === 'nameTaken';
		const datasets =
			isTaken && ifExists === 'use' ? await fetchAllPages(client, buildDatasetList(name)) : [];
		const existing = datasets.find((candidate) => candidate.name === name);
		if (existing === undefined) throw error;
		return existing;
	});
	return { json: dataset };
}

async function deleteKnowledgeBase({
	client,
	values,
}: DifyCall & FieldValues<typeof deleteFields>) {
	const { difyDatasetId: datasetId, confirm } = values;
	if (!confirm) {
		throw createParamError({
			title: 'The deletion was not confirmed',
			suggestion: 'Turn on "Confirm Deletion of All Documents" in the node.',
		});
	}
	await deletePath(client, apiPath`/datasets/${datasetId}`);
	return { json: { datasetId, deleted: true } };
}
