/** Generates images from a description. */
import type { TextField } from '../fields/field';
import type { RequestField } from '../exchange/request-fields';
import type { ModelServer } from '../servers/types/server-type';
import type { ImageRequest, ImageResult } from './images';
import { IMAGE_FIELDS, requestImages, toPromptRow } from './images';
import type { TaskSettings } from './run-task';

/** What the images should show. */
export const generatePromptField = {
	kind: 'text',
	label: 'Prompt',
	rows: 3,
	required: true,
	whenEmpty: 'Describe the image in the field Prompt.',
	placeholder: 'e.g. a red fox in the snow, watercolor',
	description: 'What the image should show',
} as const satisfies TextField;

/** What a request to generate images contains. */
export const GENERATE_FIELDS: readonly RequestField[] = [
	toPromptRow(generatePromptField),
	...IMAGE_FIELDS,
];

/** @throws a `ServerError`, also if the response contains no image. */
export async function generateImages(
	server: ModelServer,
	settings: TaskSettings,
	request: ImageRequest,
): Promise<ImageResult> {
	return await requestImages(server, settings, {
		request,
		task: 'generateImages',
		route: 'images',
		serverTask: 'images',
		fields: GENERATE_FIELDS,
	});
}
