import type { INodeProperties } from 'n8n-workflow';

import { filterFields, scoreThresholdField, topKField } from '../shared/dify/knowledge-fields';
import { choicesField, noticeField, optionsCollection } from '../shared/field-kinds';

export const properties: INodeProperties[] = [
	noticeField(
		'Connect this node to a Question and Answer Chain. For an agent, use Dify Knowledge as a tool: it can be asked for what the agent needs.',
	),
	choicesField('Knowledge Base Names or IDs', 'difyDatasetIds', {
		typeOptions: { loadOptionsMethod: 'getKnowledgeBases' },
		required: true,
		description:
			'Where to look. Choose from the list, or specify IDs using an <a href="https://docs.n8n.io/code/expressions/">expression</a>.',
	}),
	{ ...topKField, description: 'Max number of results to return' },
	...filterFields,
	optionsCollection([scoreThresholdField]),
];
