import type { INodeProperties } from 'n8n-workflow';

import { invalidParam } from '../../lib/dify/errors';
import { path } from '../../lib/dify/ids';
import {
	basesOf,
	deleteAt,
	WRITE_LIMIT_MS,
	type IndexingTechnique,
} from '../../lib/dify/knowledge/documents';
import { embeddingBody } from '../../lib/dify/knowledge/models';
import { cutQuery, misfitHint, retrieve } from '../../lib/dify/knowledge/retrieval';
import { readList } from '../../lib/dify/pagination';
import { ServerError } from '../../lib/errors/server-error';
import { optional, type JsonRecord } from '../../lib/values';
import {
	datasetField,
	datasetIdIn,
	filterFields,
	modelIn,
	modelLocator,
	scoreThresholdField,
	searchSettings,
	techniqueField,
	topKField,
} from '../shared/dify/knowledge-fields';
import { listRow, row } from '../shared/dify/define-operation';
import type { DifyOperation } from '../shared/dify/dify-operation';
import { simplifyField } from '../shared/dify/run-options';
import {
	booleanField,
	choiceField,
	choices,
	optionsCollection,
	stringField,
} from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';
import { itemsOf } from '../shared/run/operations';
import { keywordField, textIn } from './fields';

export const knowledgeBaseGetAll = listRow({
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many knowledge bases',
		description: 'List the knowledge bases of the workspace, newest first',
	},
	fields: [keywordField],
	list: (parameters) => basesOf(parameters.name('keyword')),
});

export const knowledgeBaseGet = row({
	option: { name: 'Get', value: 'get', action: 'Get a knowledge base' },
	fields: [datasetField],
	request: (parameters) => ['GET', path`/datasets/${datasetIdIn(parameters)}`],
});

const nameField = stringField('Name', 'name', {
	required: true,
	description: 'Up to 40 characters; must be unique in the workspace',
});

const settings: INodeProperties[] = [
	stringField('Description', 'description', { description: 'Up to 400 characters' }),
	modelLocator('Embedding Model', 'embeddingModel', 'searchEmbeddingModels', {
		description:
			'For the technique High Quality. If not set, Dify uses the default model of the workspace.',
	}),
	choiceField('Permission', 'permission', 'all_team_members', {
		options: choices({
			all_team_members: 'All Team Members',
			only_me: [
				'Only the Owner',
				'Only the workspace owner, as whom the key acts, sees the knowledge base in Dify',
			],
		}),
		description:
			'Who can see the knowledge base in Dify. The key acts as the workspace owner, so this node defaults to All Team Members.',
	}),
	techniqueField(
		'How documents are indexed. If not set, the first document decides; it cannot be changed later.',
	),
];

/** The body of a request. */
function settingsIn(parameters: NodeParameters): JsonRecord {
	const embeddingModel = modelIn(parameters, 'options.embeddingModel');
	// Without the technique, Dify silently ignores the model.
	const implied = embeddingModel === undefined ? undefined : 'high_quality';
	return optional({
		description: textIn(parameters, 'options.description'),
		permission: parameters.choice('options.permission', undefined),
		indexing_technique:
			parameters.choice<IndexingTechnique>('options.technique', undefined) ?? implied,
		...embeddingBody(embeddingModel),
	});
}

export const knowledgeBaseCreate: DifyOperation = {
	option: { name: 'Create', value: 'create', action: 'Create a knowledge base' },
	fields: [
		nameField,
		optionsCollection([
			...settings,
			choiceField('If It Exists', 'ifExists', 'fail', {
				options: choices({
					fail: 'Fail',
					use: ['Use Existing', 'Return the existing knowledge base unchanged'],
				}),
			}),
		]),
	],
	run: async ({ client, parameters }) => {
		const name = parameters.required('name');
		const json = { permission: 'all_team_members', ...settingsIn(parameters), name };
		const creating = client.send('POST', '/datasets', json, { limitMs: WRITE_LIMIT_MS });
		const uses = parameters.choice<'fail' | 'use'>('options.ifExists', 'fail') === 'use';
		const base = await creating.catch(async (error: unknown) => {
			const isTaken = error instanceof ServerError && error.kind === 'nameTaken';
			const bases = isTaken && uses ? await readList(client, basesOf(name)) : [];
			const known = bases.find((each) => each.name === name);
			if (known === undefined) throw error;
			return known;
		});
		return [{ json: base }];
	},
};

export const knowledgeBaseUpdate: DifyOperation = {
	option: { name: 'Update', value: 'update', action: 'Update a knowledge base' },
	fields: [
		datasetField,
		optionsCollection([...settings, { ...nameField, required: false, displayName: 'New Name' }]),
	],
	run: async ({ client, parameters }) => {
		const route = path`/datasets/${datasetIdIn(parameters)}`;
		const name = parameters.name('options.name') || undefined;
		const json = { ...settingsIn(parameters), ...optional({ name }) };
		return [{ json: await client.send('PATCH', route, json, { limitMs: WRITE_LIMIT_MS }) }];
	},
};

export const knowledgeBaseDelete: DifyOperation = {
	option: {
		name: 'Delete',
		value: 'delete',
		action: 'Delete a knowledge base',
		description: 'Delete a knowledge base and all its documents, even if apps use it',
	},
	fields: [
		datasetField,
		booleanField('Confirm Deletion of All Documents', 'confirm', false, {
			description:
				'Whether to delete the knowledge base with all its documents. This cannot be undone.',
		}),
	],
	run: async ({ client, parameters }) => {
		const datasetId = datasetIdIn(parameters);
		if (!parameters.flag('confirm'))
			throw invalidParam(
				'The deletion was not confirmed',
				'Turn on "Confirm Deletion of All Documents" in the node.',
			);
		const existed = await deleteAt(client, path`/datasets/${datasetId}`);
		return [{ json: { datasetId, deleted: true, existed } }];
	},
};

export const knowledgeBaseRetrieve: DifyOperation = {
	option: {
		name: 'Retrieve',
		value: 'retrieve',
		action: 'Retrieve from a knowledge base',
		description: 'Find the chunks that match a query',
	},
	fields: [
		datasetField,
		stringField('Query', 'query', {
			required: true,
			description:
				'The search query, up to 250 characters. Longer queries from an agent are truncated.',
		}),
		topKField,
		...filterFields,
		simplifyField,
		optionsCollection([scoreThresholdField]),
	],
	run: async (call) => {
		const { parameters, context, hint } = call;
		const search = searchSettings(parameters);
		// As a tool of an agent, a node's type ends with "Tool".
		const cuts = context.getNode().type.endsWith('Tool');
		const typed = parameters.freeText('query');
		const { query, cut } = cuts ? cutQuery(typed) : { query: typed, cut: false };
		if (cut) hint('The query was truncated to 250 characters, the maximum in Dify.');
		const found = await retrieve(call, datasetIdIn(parameters), query, search);
		const remark = misfitHint(found.misfits);
		if (remark !== undefined) hint(remark);
		return itemsOf(parameters.flag('simplify', true) ? found.hits : found.records);
	},
};
