import type { INodeProperties } from 'n8n-workflow';

import { filterFields, searchOptions, topKField } from '../shared/dify/knowledge-fields';
import { collectionOf } from '../shared/options-field';

const options: INodeProperties[] = [
	...searchOptions,
	{
		displayName: 'If a Knowledge Base Fails',
		name: 'onFailure',
		type: 'options',
		options: [
			{ name: 'Fail', value: 'fail', description: 'The error names the knowledge base' },
			{ name: 'Go On Without It', value: 'warn', description: 'A hint at the node names it' },
		],
		default: 'fail',
		description: 'What to do when one of several knowledge bases cannot be searched',
	},
];

export const properties: INodeProperties[] = [
	{
		displayName:
			'Connect this node to a Question and Answer Chain. For an agent, use Dify Knowledge as a tool: it can be asked for what the agent needs.',
		name: 'notice',
		type: 'notice',
		default: '',
	},
	{
		displayName: 'Knowledge Base Names or IDs',
		name: 'difyDatasetIds',
		type: 'multiOptions',
		typeOptions: { loadOptionsMethod: 'getKnowledgeBases' },
		default: [],
		required: true,
		description:
			'Where to look. Choose from the list, or specify IDs using an <a href="https://docs.n8n.io/code/expressions/">expression</a>.',
	},
	{ ...topKField, description: 'Max number of results to return' },
	...filterFields,
	collectionOf(options.sort((one, other) => one.displayName.localeCompare(other.displayName))),
];
