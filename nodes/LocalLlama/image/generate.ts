import type { LocalLlamaOperation } from '../operation';
import { optionFields } from '../options';
import { imageModelField, imageOptions, promptField } from './fields';
import { imageItems } from './make';

export const imageGenerate: LocalLlamaOperation = {
	option: {
		name: 'Generate',
		value: 'generate',
		action: 'Generate an image',
		description: 'Makes pictures from a description: sd-server, GPUStack, LocalAI',
	},
	fields: [
		imageModelField,
		promptField('What the picture should show', 'e.g. a red fox in the snow, watercolour'),
		...optionFields(imageOptions, 1),
	],
	run: async (call) => await imageItems(call, { images: [] }),
};
