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
import {
	filtersField,
	readRetrievalOptions,
	retrievalOptions,
	topKField,
} from '../shared/dify/retrieval-fields';
import type { DifyResource } from '../shared/dify/dify-operation';
import { defineListOperation, defineRequestOperation } from '../shared/dify/define-operation';
import { simplifyField, readId, readKeyword } from '../shared/dify/dify-fields';
import {
	booleanField,
	choiceField,
	optionsCollection,
	stringField,
} from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';
import { toOperationItems } from '../shared/run/operation-items';
import {
	keywordField,
	datasetField,
	readModel,
	embeddingModelField,
	techniqueField,
} from './fields';

const nameField = stringField('Name', 'name', {
	required: true,
	description: 'Up to 40 characters; must be unique in the workspace',
});

const settings = [
	stringField('Description', 'description', 'Up to 400 characters'),
	embeddingModelField(
		'For the technique High Quality. If not set, Dify uses the default model of the workspace.',
	),
	choiceField(
		'Permission',
		'permission',
		'all_team_members',
		{
			all_team_members: 'All Team Members',
			only_me: [
				'Only the Owner',
				'Only the workspace owner, as whom the key acts, sees the knowledge base in Dify',
			],
		},
		'Who can see the knowledge base in Dify. The key acts as the workspace owner, so this node defaults to All Team Members.',
	),
	techniqueField(
		'How documents are indexed. If not set, the first document decides; it cannot be changed later.',
	),
];

function readSettings(parameters: NodeParameters) {
	const embeddingModel = readModel(parameters, 'options.embeddingModel');
	// Without the technique, Dify silently ignores the model.
	const defaultTechnique = embeddingModel === undefined ? undefined : 'high_quality';
	return omitUndefined({
		description: parameters.textOption('options.description'),
		permission: parameters.choice('options.permission', undefined),
		indexing_technique: parameters.choice('options.technique', undefined) ?? defaultTechnique,
		...toEmbeddingModelFields(embeddingModel),
	});
}

export const knowledgeBases: DifyResource = {
	name: 'Knowledge Base',
	value: 'knowledgeBase',
	operations: [
		{
			name: 'Retrieve',
			value: 'retrieve',
			action: 'Retrieve from a knowledge base',
			description: 'Find the chunks that match a query',
			fields: [
				datasetField,
				stringField('Query', 'query', {
					required: true,
					description:
						'The search query, up to 250 characters. Longer queries from an agent are truncated.',
				}),
				topKField,
				filtersField,
				simplifyField,
				retrievalOptions,
			],
			execute: async (call) => {
				const { client, parameters, context, hint } = call;
				const search = readRetrievalOptions(parameters);
				// The type of an agent tool ends with "Tool".
				const isTool = context.getNode().type.endsWith('Tool');
				// Dify searches for spaces.
				const text = parameters.requiredText('query');
				const { query, isTruncated } = isTool
					? truncateQuery(text)
					: { query: text, isTruncated: false };
				if (isTruncated) hint('The query was truncated to 250 characters, the maximum in Dify.');
				const result = await retrieve(client, {
					datasetId: readId(parameters, 'difyDatasetId'),
					query,
					...search,
				});
				const warning = getIgnoredFilterWarning(result.filteredOut);
				if (warning !== undefined) hint(warning);
				return toOperationItems(
					parameters.boolean('simplify', true) ? result.hits : result.records,
				);
			},
		},
		defineListOperation({
			action: 'Get many knowledge bases',
			description: 'List the knowledge bases of the workspace, newest first',
			fields: [keywordField],
			list: (parameters) => buildDatasetList(readKeyword(parameters)),
		}),
		defineRequestOperation({
			name: 'Get',
			value: 'get',
			action: 'Get a knowledge base',
			fields: [datasetField],
			request: 'GET /datasets/{difyDatasetId}',
		}),
		{
			name: 'Create',
			value: 'create',
			action: 'Create a knowledge base',
			fields: [
				nameField,
				optionsCollection([
					...settings,
					choiceField('If It Exists', 'ifExists', 'fail', {
						fail: 'Fail',
						use: ['Use Existing', 'Return the existing knowledge base unchanged'],
					}),
				]),
			],
			execute: async ({ client, parameters }) => {
				const name = parameters.requiredString('name');
				const json = { permission: 'all_team_members', ...readSettings(parameters), name };
				const usesExisting = parameters.choice<string>('options.ifExists', 'fail') === 'use';
				const creating = client.sendJson('POST', '/datasets', {
					json,
					timeoutMs: WRITE_TIMEOUT_MS,
				});
				const dataset = await creating.catch(async (error: unknown) => {
					const isTaken = error instanceof ServerError && error.type === 'nameTaken';
					const datasets =
						isTaken && usesExisting ? await fetchAllPages(client, buildDatasetList(name)) : [];
					const existing = datasets.find((candidate) => candidate.name === name);
					if (existing === undefined) throw error;
					return existing;
				});
				return { json: dataset };
			},
		},
		defineRequestOperation({
			name: 'Update',
			value: 'update',
			action: 'Update a knowledge base',
			fields: [
				datasetField,
				optionsCollection([
					...settings,
					{ ...nameField, required: false, displayName: 'New Name' },
				]),
			],
			request: 'PATCH /datasets/{difyDatasetId}',
			getValues: (parameters) => ({
				...readSettings(parameters),
				name: parameters.string('options.name') || undefined,
			}),
			timeoutMs: WRITE_TIMEOUT_MS,
		}),
		{
			name: 'Delete',
			value: 'delete',
			action: 'Delete a knowledge base',
			description: 'Delete a knowledge base and all its documents, even if apps use it',
			fields: [
				datasetField,
				booleanField(
					'Confirm Deletion of All Documents',
					'confirm',
					false,
					'Whether to delete the knowledge base with all its documents. This cannot be undone.',
				),
			],
			execute: async ({ client, parameters }) => {
				const datasetId = readId(parameters, 'difyDatasetId');
				if (!parameters.boolean('confirm')) {
					throw createParamError({
						title: 'The deletion was not confirmed',
						suggestion: 'Turn on "Confirm Deletion of All Documents" in the node.',
					});
				}
				return {
					json: {
						datasetId,
						deleted: true,
						existed: await deletePath(client, apiPath`/datasets/${datasetId}`),
					},
				};
			},
		},
	],
};
