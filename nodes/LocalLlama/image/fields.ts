import type { INodeProperties } from 'n8n-workflow';

import {
	choiceField,
	choices,
	longTextField,
	numberField,
	outputFileField,
	stringField,
	wholeField,
} from '../../shared/field-kinds';
import { modelField } from '../../shared/model-field';
import { fileNameField, mediaFields } from '../media-options';

export const imageModelField = modelField(
	{
		description:
			'The model that makes the picture. Leave it empty for a server that has only one, such as sd-server.',
	},
	{ search: 'searchImageModels', example: 'flux.1-schnell' },
);

export function promptField(description: string, placeholder: string): INodeProperties {
	return longTextField('Prompt', 'prompt', 3, {
		required: true,
		placeholder,
		description,
	});
}

/** Options of new and edited pictures. */
export const imageOptions: INodeProperties[] = [
	choiceField('File Format', 'outputFormat', 'png', {
		options: choices({
			jpeg: 'JPEG',
			png: 'PNG',
			webp: 'WebP',
		}),
		description:
			'What sd-server and newer models of other servers are asked for. Without it the server decides.',
	}),
	fileNameField('image'),
	numberField('Guidance', 'guidance', 7, {
		typeOptions: { minValue: 0, maxValue: 100, numberPrecision: 2 },
		description:
			'How closely the picture follows the prompt (CFG scale). Distilled models such as Flux want 1.',
	}),
	longTextField('Negative Prompt', 'negativePrompt', 2, {
		description: 'What the picture should not show',
	}),
	wholeField('Number of Images', 'count', 1, [1, 64], {
		description: 'How many pictures to make. Each becomes an item.',
	}),
	outputFileField,
	wholeField('Seed', 'seed', -1, [-1], {
		description: 'The same seed and prompt give the same picture. -1 = another one each time.',
	}),
	stringField('Size', 'size', {
		placeholder: 'e.g. 768x512',
		description: 'Width x height in pixels. Empty: as the server is set up.',
	}),
	wholeField('Steps', 'steps', 20, [1, 500], {
		description:
			'More steps take longer and show more detail. Steps, Guidance and Negative Prompt go to sd-server in its own words, to others as steps, cfg_scale and negative_prompt; for other names use Extra Body.',
	}),
	...mediaFields,
];
