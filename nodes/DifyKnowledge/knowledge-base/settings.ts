import type { INodeProperties } from 'n8n-workflow';

import type { BaseSettings, Permission } from '../../../lib/dify/knowledge/bases';
import type { Technique } from '../../../lib/dify/knowledge/records';
import type { SearchSettings } from '../../../lib/dify/knowledge/retrieve';
import {
	modelIn,
	modelLocator,
	SEARCH_METHODS,
	techniqueField,
} from '../../shared/dify/knowledge-fields';
import {
	choiceField,
	choices,
	numberField,
	stringField,
	wholeField,
} from '../../shared/field-kinds';
import type { NodeParameters } from '../../shared/parameters';
import { textIn } from '../fields';

export const nameField = stringField('Name', 'name', {
	required: true,
	description: 'At most 40 characters, and the only one of this name in the workspace',
});

export const settings: INodeProperties[] = [
	stringField('Description', 'description', { description: 'At most 400 characters' }),
	modelLocator('Embedding Model', 'embeddingModel', 'searchEmbeddingModels', {
		description:
			'For the technique High Quality. Without it, Dify takes the default one of the workspace.',
	}),
	choiceField('Permission', 'permission', 'all_team_members', {
		options: choices({
			all_team_members: 'All Team Members',
			only_me: [
				'Only the Owner',
				'The owner of the workspace, as whom the key acts. Others do not see the knowledge base in Dify.',
			],
		}),
		description:
			'Who sees the knowledge base in Dify. The key acts as the owner of the workspace, so the default of this node is All Team Members.',
	}),
	techniqueField(
		'How documents are indexed. Without it, the first document decides; it cannot be changed later.',
	),
];

export const searchDefaults: INodeProperties[] = [
	wholeField('Default Limit', 'defaultTopK', 5, [1, 100], {
		description: 'How many hits a search gives that does not say otherwise',
	}),
	numberField('Default Score Threshold', 'defaultScoreThreshold', 0.5, {
		typeOptions: { minValue: 0, maxValue: 1, numberPrecision: 4 },
		description: 'The score that hits must reach in a search that does not say otherwise',
	}),
	choiceField('Default Search Method', 'defaultSearchMethod', 'semantic_search', {
		options: SEARCH_METHODS,
		description: 'How a search goes that does not say otherwise',
	}),
];

export function settingsIn(parameters: NodeParameters): BaseSettings {
	return {
		description: textIn(parameters, 'options.description'),
		permission: parameters.choice<Permission>('options.permission', undefined),
		technique: parameters.choice<Technique>('options.technique', undefined),
		embeddingModel: modelIn(parameters, 'options.embeddingModel'),
	};
}

export function searchDefaultsIn(parameters: NodeParameters): SearchSettings {
	return {
		method: parameters.choice<NonNullable<SearchSettings['method']>>(
			'options.defaultSearchMethod',
			undefined,
		),
		topK: parameters.number('options.defaultTopK', undefined),
		scoreThreshold: parameters.number('options.defaultScoreThreshold', undefined),
	};
}

export function isSet(search: SearchSettings): boolean {
	return Object.values(search).some((value) => value !== undefined);
}
