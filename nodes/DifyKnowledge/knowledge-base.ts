import type { INodeProperties } from 'n8n-workflow';

import {
	baseNamed,
	createBase,
	deleteBase,
	listBases,
	updateBase,
	type BaseSettings,
	type Permission,
	type Technique,
} from '../../lib/dify/knowledge/bases';
import { retrievalModel, type SearchSettings } from '../../lib/dify/knowledge/retrieve';
import { refusedHere } from '../../lib/dify/failure';
import { asFailed } from '../../lib/errors/server-error';
import { mostIn, pagingFields } from '../shared/dify/fields';
import { datasetField, datasetIdIn, modelIn, modelLocator } from '../shared/dify/knowledge-fields';
import type { NodeParameters } from '../shared/parameters';
import type { KnowledgeOperation } from './call';
import { keywordField, optionsField, textIn, textsIn } from './fields';

const nameField: INodeProperties = {
	displayName: 'Name',
	name: 'name',
	type: 'string',
	default: '',
	required: true,
	description: 'At most 40 characters, and the only one of this name in the workspace',
};

const settings: INodeProperties[] = [
	{
		displayName: 'Description',
		name: 'description',
		type: 'string',
		default: '',
		description: 'At most 400 characters',
	},
	modelLocator('Embedding Model', 'embeddingModel', 'searchEmbeddingModels', {
		description: 'For the technique High Quality. Without it, Dify takes the default one of the workspace.',
	}),
	{
		displayName: 'Members',
		name: 'members',
		type: 'string',
		default: '',
		description: 'IDs of the users who may use it, separated by commas, where the permission is Some Members',
	},
	{
		displayName: 'Permission',
		name: 'permission',
		type: 'options',
		options: [
			{ name: 'All Team Members', value: 'all_team_members' },
			{
				name: 'Only the Owner',
				value: 'only_me',
				description: 'The owner of the workspace, as whom the key acts. Others do not see the knowledge base in Dify.',
			},
			{ name: 'Some Members', value: 'partial_members' },
		],
		default: 'all_team_members',
		description:
			'Who sees the knowledge base in Dify. The key acts as the owner of the workspace, so the default of this node is All Team Members.',
	},
	{
		displayName: 'Technique',
		name: 'technique',
		type: 'options',
		options: [
			{ name: 'Economy', value: 'economy', description: 'Keywords only, without a model' },
			{ name: 'High Quality', value: 'high_quality', description: 'Vectors, which an embedding model makes' },
		],
		default: 'high_quality',
		description: 'How documents are indexed. Without it, the first document decides, for ever.',
	},
];

const searchDefaults: INodeProperties[] = [
	{
		displayName: 'Default Limit',
		name: 'defaultTopK',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 100, numberPrecision: 0 },
		default: 5,
		description: 'How many hits a search gives that does not say otherwise',
	},
	{
		displayName: 'Default Score Threshold',
		name: 'defaultScoreThreshold',
		type: 'number',
		typeOptions: { minValue: 0, maxValue: 1, numberPrecision: 4 },
		default: 0.5,
		description: 'What hits must reach in a search that does not say otherwise',
	},
	{
		displayName: 'Default Search Method',
		name: 'defaultSearchMethod',
		type: 'options',
		options: [
			{ name: 'Full Text', value: 'full_text_search' },
			{ name: 'Hybrid', value: 'hybrid_search' },
			{ name: 'Keywords', value: 'keyword_search' },
			{ name: 'Semantic', value: 'semantic_search' },
		],
		default: 'semantic_search',
		description: 'How a search goes that does not say otherwise',
	},
];

function settingsIn(parameters: NodeParameters): BaseSettings {
	return {
		description: textIn(parameters, 'options.description'),
		permission: parameters.choice<Permission>('options.permission', undefined),
		members: textsIn(parameters, 'options.members'),
		technique: parameters.choice<Technique>('options.technique', undefined),
		embeddingModel: modelIn(parameters, 'options.embeddingModel'),
	};
}

function searchDefaultsIn(parameters: NodeParameters): SearchSettings {
	return {
		method: parameters.choice<NonNullable<SearchSettings['method']>>('options.defaultSearchMethod', undefined),
		topK: parameters.number('options.defaultTopK', undefined),
		scoreThreshold: parameters.number('options.defaultScoreThreshold', undefined),
	};
}

function isSet(search: SearchSettings): boolean {
	return Object.values(search).some((value) => value !== undefined);
}

export const baseCreate: KnowledgeOperation = {
	option: { name: 'Create', value: 'create', action: 'Create a knowledge base' },
	fields: [
		nameField,
		optionsField([
			...settings,
			...searchDefaults,
			{
				displayName: 'If It Exists',
				name: 'ifExists',
				type: 'options',
				options: [
					{ name: 'Fail', value: 'fail' },
					{ name: 'Use It', value: 'use', description: 'The knowledge base of that name, as it is' },
				],
				default: 'fail',
			},
		]),
	],
	run: async ({ api, parameters, signal }) => {
		const name = parameters.name('name');
		const { permission = 'all_team_members', ...rest } = settingsIn(parameters);
		const search = searchDefaultsIn(parameters);
		const asBase = { indexing_technique: rest.technique ?? (rest.embeddingModel ? 'high_quality' : undefined) };
		const model = isSet(search) ? retrievalModel(asBase, search) : undefined;
		const made = await createBase(api, { ...rest, name, permission, retrievalModel: model }, signal).then(
			(base) => ({ base }),
			asFailed,
		);
		if ('base' in made) return [made.base];
		if (made.failed.kind !== 'nameTaken' || parameters.choice<'fail' | 'use'>('options.ifExists', 'fail') !== 'use')
			throw made.failed;
		const known = await baseNamed(api, name, signal);
		if (known === undefined) throw made.failed;
		return [known];
	},
};

export const baseDelete: KnowledgeOperation = {
	option: {
		name: 'Delete',
		value: 'delete',
		action: 'Delete a knowledge base',
		description: 'Delete it with all its documents, also where apps use it',
	},
	fields: [
		datasetField,
		{
			displayName: 'I Know That All Documents Are Deleted',
			name: 'confirm',
			type: 'boolean',
			default: false,
			description: 'Whether to delete the knowledge base. Dify asks nobody, and nothing brings it back.',
		},
	],
	run: async ({ api, parameters, signal }) => {
		const datasetId = datasetIdIn(parameters);
		if (!parameters.flag('confirm'))
			throw refusedHere(
				'invalidParam',
				'The deletion is not confirmed',
				'Turn on "I Know That All Documents Are Deleted" in the node.',
			);
		return [{ datasetId, deleted: true, existed: await deleteBase(api, datasetId, signal) }];
	},
};

export const baseGet: KnowledgeOperation = {
	option: { name: 'Get', value: 'get', action: 'Get a knowledge base' },
	fields: [datasetField],
	run: async ({ api, parameters, signal }) => [await api.get(`/datasets/${datasetIdIn(parameters)}`, { signal })],
};

export const baseGetAll: KnowledgeOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many knowledge bases',
		description: 'Those of the whole workspace, newest first',
	},
	fields: [keywordField, ...pagingFields],
	run: async ({ api, parameters, signal }) =>
		await listBases(api, mostIn(parameters), parameters.name('keyword'), signal),
};

export const baseUpdate: KnowledgeOperation = {
	option: { name: 'Update', value: 'update', action: 'Update a knowledge base' },
	fields: [
		datasetField,
		optionsField([...settings, ...searchDefaults, { ...nameField, required: false, displayName: 'New Name' }]),
	],
	run: async ({ api, parameters, signal }) => {
		const datasetId = datasetIdIn(parameters);
		const search = searchDefaultsIn(parameters);
		const model = isSet(search) ? retrievalModel(await api.base(datasetId, signal), search) : undefined;
		const name = parameters.name('options.name') || undefined;
		return [await updateBase(api, datasetId, { ...settingsIn(parameters), name, retrievalModel: model }, signal)];
	},
};
