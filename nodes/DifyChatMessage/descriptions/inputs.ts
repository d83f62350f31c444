import type { INodeProperties } from 'n8n-workflow';

export const inputFields: INodeProperties[] = [
	{
		displayName: 'Inputs',
		name: 'inputsMode',
		type: 'options',
		noDataExpression: true,
		options: [
			{ name: 'As JSON', value: 'json' },
			{ name: 'From the Form of the App', value: 'form' },
		],
		default: 'form',
		description:
			'The variables that the app asks for before its first message. Dify wants them on every turn, also in an existing conversation.',
	},
	{
		displayName: 'Form',
		name: 'inputs',
		type: 'resourceMapper',
		noDataExpression: true,
		default: { mappingMode: 'defineBelow', value: null },
		typeOptions: {
			resourceMapper: {
				resourceMapperMethod: 'getForm',
				mode: 'add',
				fieldWords: { singular: 'field', plural: 'fields' },
				addAllFields: true,
				multiKeyMatch: false,
				supportAutoMap: false,
			},
		},
		displayOptions: { show: { inputsMode: ['form'] } },
	},
	{
		displayName: 'Inputs as JSON',
		name: 'inputsJson',
		type: 'json',
		typeOptions: { rows: 4 },
		default: '{}',
		displayOptions: { show: { inputsMode: ['json'] } },
		placeholder: '{ "language": "English" }',
		description: 'Object with the variables of the app. Text variables want strings, also for digits.',
	},
];
