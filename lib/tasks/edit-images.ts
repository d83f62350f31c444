/**
 * Edits images: in OpenAI's API a form with `image` for one image, `image[]` for each of several, and `mask`.
 * What the mask means is the server's matter: docs/nodes/local-llama.md says which server changes what.
 */
import type { FieldTable } from '../fields/field';
import type { RequestField } from '../exchange/request-fields';
import { ServerError } from '../errors/server-error';
import type { SentFile } from '../files/file-errors';
import { withSentFiles } from '../files/file-errors';
import { readFirstChunk } from '../files/file-identity';
import type { FileSource, FormFile } from '../http/multipart';
import type { ModelServer } from '../servers/types/server-type';
import type { ImageRequest, ImageResult } from './images';
import { IMAGE_FIELDS, requestImages, toPromptRow } from './images';
import type { TaskSettings } from './run-task';

/** Images of one request: OpenAI's API takes no more. */
export const MAX_EDITED_IMAGES = 16;

/** A request to edit images. */
export interface EditRequest extends ImageRequest {
	/** What is edited: from 1 to `MAX_EDITED_IMAGES`, the main one first. */
	images: readonly FileSource[];
	/** Where the first image may change. Default: everywhere. */
	mask: FileSource | undefined;
}

/** What a person says about an edit. */
export const EDIT_OPTIONS = {
	prompt: {
		kind: 'text',
		label: 'Prompt',
		rows: 3,
		required: true,
		whenEmpty: 'Describe the change in the field Prompt.',
		placeholder: 'e.g. replace the sky with a sunset',
		description: 'What to change in the image',
	},
	mask: {
		kind: 'name',
		label: 'Mask Binary Field',
		placeholder: 'e.g. mask',
		description:
			'Name of the input binary field with the mask: an image as large as the first one, which marks what may change. The server decides whether its transparent or its white area does. If empty, everything may.',
	},
} as const satisfies FieldTable;

/** What a request to edit images contains. */
export const EDIT_FIELDS: readonly RequestField[] = [
	toPromptRow(EDIT_OPTIONS.prompt),
	...IMAGE_FIELDS,
];

/** @throws a `ServerError` that names the files, also if the response contains no image. */
export async function editImages(
	server: ModelServer,
	settings: TaskSettings,
	{ images, mask, ...request }: EditRequest,
): Promise<ImageResult> {
	const field = images.length > 1 ? 'image[]' : 'image';
	const files: FormFile[] = [
		...images.map((file) => ({ field, file })),
		...(mask ? [{ field: 'mask', file: mask }] : []),
	];
	return await requestImages(server, settings, {
		request,
		task: 'editImages',
		route: 'imageEdits',
		serverTask: 'imageEdits',
		fields: EDIT_FIELDS,
		files,
	}).catch(async (error: unknown) => {
		if (!(error instanceof ServerError)) throw error;
		throw withSentFiles(error, await Promise.all(files.map(readSentFile)));
	});
}

async function readSentFile({ file }: FormFile): Promise<SentFile> {
	return { ...file, head: await readFirstChunk(file.open()) };
}
