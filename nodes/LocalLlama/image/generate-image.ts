import { generateImages } from '../../../lib/tasks/generate-images';
import { omitEmpty, omitUndefined } from '../../../lib/values/records';
import {
	choiceField,
	longTextField,
	outputFileField,
	stringField,
	integerField,
} from '../../shared/field-builders';
import { modelField } from '../../shared/model-selection';
import { baseName, storeFile } from '../../shared/binary';
import type { LocalLlamaOperation } from '../run-local-llama';
import type { ResultItem } from '../output';
import { createOptionsField, fileNameField } from '../operation-fields';
import { mediaFields } from '../media-fields';
import { resolveModelRequestSettings } from '../model-request-settings';
import { withOutput } from '../output';

export const imageGenerate: LocalLlamaOperation = withOutput({
	name: 'Generate',
	value: 'generate',
	action: 'Generate an image',
	description: 'Generate images from a description: GPUStack and others',
	fields: [
		modelField('The model that generates the image', {
			search: 'searchImageModels',
			example: 'flux.1-schnell',
		}),
		longTextField('Prompt', 'prompt', 3, {
			required: true,
			placeholder: 'e.g. a red fox in the snow, watercolor',
			description: 'What the image should show',
		}),
		createOptionsField(
			[
				choiceField(
					'File Format',
					'outputFormat',
					'png',
					{
						jpeg: 'JPEG',
						png: 'PNG',
						webp: 'WebP',
					},
					'Format to request from models that support it. If not set, the server decides.',
				),
				fileNameField('image'),
				integerField(
					'Number of Images',
					'count',
					1,
					[1, 64],
					'How many images to generate. Each becomes an item.',
				),
				outputFileField,
				integerField(
					'Seed',
					'seed',
					-1,
					[-1],
					'The same seed and prompt give the same image. -1 = random.',
				),
				stringField('Size', 'size', {
					placeholder: 'e.g. 768x512',
					description: 'Width x height in pixels. If empty, the server default applies.',
				}),
				...mediaFields,
			],
			1,
		),
	],
	execute: async (call) => {
		const { parameters, server } = call;
		const settings = await resolveModelRequestSettings(call, 'images');
		const prompt = parameters.rawString('prompt');
		const { images, warnings } = await generateImages(server, settings, {
			prompt,
			count: parameters.number('options.count', 1),
			size: parameters.string('options.size').replace(/\s{0,9}[x×*]\s{0,9}/i, 'x'),
			format: parameters.choice('options.outputFormat', ''),
			seed: parameters.number('options.seed', undefined),
			extraBody: parameters.objectToSend('options.extraBody', {}),
		});
		warnings.forEach(call.hint);
		const metadata = { prompt, ...omitEmpty({ model: settings.model }) };
		const name = baseName(parameters.string('options.fileName'), 'image');
		const items: ResultItem[] = [];
		for (const [index, image] of images.entries()) {
			const { content, mimeType, extension, width, height, revisedPrompt, seed } = image;
			const suffix = images.length > 1 ? `-${index + 1}` : '';
			const file = { content, fileName: `${name}${suffix}.${extension}`, mimeType };
			const { facts, binary } = await storeFile(call, 'options.binaryPropertyOutput', file);
			items.push({
				output: { ...facts, ...omitUndefined({ width, height }) },
				metadata: { ...metadata, revisedPrompt, seed },
				binary,
			});
		}
		return items;
	},
});
