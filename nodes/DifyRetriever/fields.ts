import type { INodeProperties } from 'n8n-workflow';

import { filterFields, searchOptions, topKField } from '../shared/dify/knowledge-fields';
import {
	choiceField,
	choices,
	choicesField,
	noticeField,
	optionsCollection,
} from '../shared/field-kinds';

const options: INodeProperties[] = [
	...searchOptions,
	choiceField('If a Knowledge Base Fails', 'onFailure', 'fail', {
		options: choices({
			fail: ['Fail', 'The error names the knowledge base'],
			warn: ['Go On Without It', 'A hint at the node names it'],
		}),
		description: 'What to do when one of several knowledge bases cannot be searched',
	}),
];

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
	optionsCollection(options),
];
