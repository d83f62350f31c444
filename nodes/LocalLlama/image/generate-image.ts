import { generateImages, generatePromptField } from '../../../lib/tasks/generate-images';
import type { FieldTable } from '../../../lib/fields/field';
import { modelField } from '../../shared/fields/model-selection';
import { mediaRequestOptions } from '../../shared/fields/request-options';
import type { LocalLlamaOperation } from '../run-local-llama';
import { itemOptionsField } from '../operation-fields';
import { resolveModelRequestSettings } from '../model-request-settings';
import { withOutput } from '../output';
import { imageOptions, storeImages, toImageRequest } from './image-output';

const fields = {
	model: modelField('The model that generates the image', {
		search: 'searchImageModels',
		example: 'flux.1-schnell',
	}),
	prompt: generatePromptField,
	options: itemOptionsField({ ...imageOptions, ...mediaRequestOptions }, 1),
} as const satisfies FieldTable;

export const imageGenerate: LocalLlamaOperation = withOutput({
	name: 'Generate',
	value: 'generate',
	action: 'Generate an image',
	description: 'Generate images from a description: GPUStack and others',
	fields,
	execute: async (call) => {
		const { server, values } = call;
		const { prompt, options } = values;
		const request = toImageRequest(prompt, options);
		const settings = await resolveModelRequestSettings(call, 'images');
		const result = await generateImages(server, settings, request);
		return await storeImages(call, result, { prompt, model: settings.model, options });
	},
});
