import { EDIT_OPTIONS, editImages, MAX_EDITED_IMAGES } from '../../../lib/tasks/edit-images';
import type { FieldTable, TextField, ValueSource } from '../../../lib/fields/field';
import { createEmptyFieldError, createFieldError } from '../../../lib/fields/field-errors';
import { readFirstChunk } from '../../../lib/files/file-identity';
import { assertImage, getRotationWarnings } from '../../../lib/files/read-file';
import type { FileSource } from '../../../lib/http/multipart';
import { createFileSource } from '../../../lib/n8n/binary';
import { modelField } from '../../shared/fields/model-selection';
import { mediaRequestOptions } from '../../shared/fields/request-options';
import { itemOptionsField } from '../operation-fields';
import { resolveModelRequestSettings } from '../model-request-settings';
import { withOutput } from '../output';
import type { LlamaCall, LocalLlamaOperation } from '../run-local-llama';
import { binaryFieldsField, ENTER_FIELD } from '../text/item-files';
import { imageOptions, storeImages, toImageRequest } from './image-output';

const { prompt: promptField, mask: maskField } = EDIT_OPTIONS;

const namesField = binaryFieldsField('');

/** The fields with the images, of which at least one is needed. */
const imagesField = {
	...namesField,
	required: true,
	default: 'data',
	placeholder: 'e.g. data, data2',
	hint: 'The names of the input binary fields that contain the images',
	description: `The image to edit. Models that combine images take up to ${MAX_EDITED_IMAGES}: names separated by commas, the main image first.`,
	whenEmpty: 'Enter the field that contains the image.',
	parse(value: unknown, source: ValueSource): string[] {
		const names = namesField.parse(value, source);
		if (names.length === 0)
			throw createEmptyFieldError(source, 'Enter the field that contains the image.');
		if (names.length > MAX_EDITED_IMAGES)
			throw createFieldError(source, `names ${names.length} images (maximum ${MAX_EDITED_IMAGES})`);
		return names;
	},
} as const satisfies TextField;

const fields = {
	model: modelField('The model that edits the image', {
		search: 'searchImageModels',
		example: 'qwen-image-edit',
	}),
	binaryFields: imagesField,
	prompt: promptField,
	options: itemOptionsField({ ...imageOptions, mask: maskField, ...mediaRequestOptions }, 1),
} as const satisfies FieldTable;

export const imageEdit: LocalLlamaOperation = withOutput({
	name: 'Edit',
	value: 'edit',
	action: 'Edit an image',
	description: 'Change images by a description: GPUStack and others',
	fields,
	execute: async (call) => {
		const { server, values } = call;
		const { prompt, binaryFields, options } = values;
		const request = toImageRequest(prompt, options);
		const maskName = options.mask ?? '';
		addUnsentFiles(call, [...binaryFields, maskName]);
		const images: FileSource[] = [];
		for (const property of binaryFields) images.push(await openImage(call, property));
		const mask = maskName === '' ? undefined : await openImage(call, maskName);
		const settings = await resolveModelRequestSettings(call, 'images');
		const result = await editImages(server, settings, { ...request, images, mask });
		return await storeImages(call, result, { prompt, model: settings.model, options });
	},
});

/** Remembers the files from the trigger that no field names: images, and of a chat message also the others. */
function addUnsentFiles(call: LlamaCall, names: readonly string[]) {
	const unnamed = call.getTriggerFiles().filter(({ property }) => !names.includes(property));
	for (const { name, property, mimeType, isOfChat } of unnamed) {
		const isImage = mimeType.startsWith('image/');
		if (isImage)
			call.losses.add('unsentFile', {
				name,
				reason: `Input Binary Fields does not name ${property}`,
				remedy: ENTER_FIELD,
			});
		else if (isOfChat) call.losses.add('unsentFile', { name, reason: 'only images are edited' });
	}
}

/**
 * Opens an image of the item.
 *
 * @throws a `ServerError` of type `invalidInput` for a file that is no image
 */
async function openImage(
	{ context, itemIndex, hint }: LlamaCall,
	property: string,
): Promise<FileSource> {
	const file = await createFileSource(context, itemIndex, property);
	const head = await readFirstChunk(file.open());
	assertImage({ ...file, name: file.declaredName ?? file.name, head });
	file.warnings?.forEach((warning) => hint(warning));
	getRotationWarnings({ name: file.name, head }).forEach((warning) => hint(warning));
	return file;
}
