import type { INodeProperties } from 'n8n-workflow';

import { modelField } from '../../shared/model-field';
import { fileNameField, mediaFields, outputFileField } from '../media-options';

export const imageModelField = modelField(
	{
		description: 'The model that makes the picture. Leave it empty for a server that has only one, such as sd-server.',
	},
	{ search: 'searchImageModels', example: 'flux.1-schnell' },
);

export function promptField(description: string, placeholder: string): INodeProperties {
	return {
		displayName: 'Prompt',
		name: 'prompt',
		type: 'string',
		typeOptions: { rows: 3 },
		required: true,
		default: '',
		placeholder,
		description,
	};
}

/** Options of new and edited pictures. */
export const imageOptions: INodeProperties[] = [
	{
		displayName: 'File Format',
		name: 'outputFormat',
		type: 'options',
		default: 'png',
		options: [
			{ name: 'JPEG', value: 'jpeg' },
			{ name: 'PNG', value: 'png' },
			{ name: 'WebP', value: 'webp' },
		],
		description: 'What sd-server and newer models of other servers are asked for. Without it the server decides.',
	},
	fileNameField('image'),
	{
		displayName: 'Guidance',
		name: 'guidance',
		type: 'number',
		typeOptions: { minValue: 0, maxValue: 100, numberPrecision: 2 },
		default: 7,
		description: 'How closely the picture follows the prompt (CFG scale). Distilled models such as Flux want 1.',
	},
	{
		displayName: 'Negative Prompt',
		name: 'negativePrompt',
		type: 'string',
		typeOptions: { rows: 2 },
		default: '',
		description: 'What the picture should not show',
	},
	{
		displayName: 'Number of Images',
		name: 'count',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 64, numberPrecision: 0 },
		default: 1,
		description: 'How many pictures to make. Each becomes an item.',
	},
	outputFileField,
	{
		displayName: 'Seed',
		name: 'seed',
		type: 'number',
		typeOptions: { minValue: -1, numberPrecision: 0 },
		default: -1,
		description: 'The same seed and prompt give the same picture. -1 = another one each time.',
	},
	{
		displayName: 'Size',
		name: 'size',
		type: 'string',
		default: '',
		placeholder: 'e.g. 768x512',
		description: 'Width x height in pixels. Empty: as the server is set up.',
	},
	{
		displayName: 'Steps',
		name: 'steps',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 500, numberPrecision: 0 },
		default: 20,
		description:
			'More steps take longer and show more detail. Steps, Guidance and Negative Prompt go to sd-server in its own words, to others as steps, cfg_scale and negative_prompt; for other names use Extra Body.',
	},
	...mediaFields,
];
