/** Files that are transcribed, by any server. */
import { createInputError } from '../errors/create-error';
import { AUDIO_EXTENSIONS, describeDocument, isTextType } from './file-types';

/** A file as it is sent. */
interface SentFile {
	/** With an ending. */
	name: string;
	/** The name in n8n, if it is another one. */
	declaredName?: string;
	/** By its bytes, as far as they show it. */
	mimeType: string;
}

/**
 * Rejects files that contain no sound. With a model for images and audio, llama-server would transcribe the text in an
 * image.
 *
 * @throws {ServerError} of type `invalidInput`
 */
export function assertRecording(file: SentFile): void {
	const description = describeNonRecording(file);
	if (description !== undefined)
		throw createInputError(
			`"${file.declaredName ?? file.name}" is ${description}`,
			'Enter the field that contains the recording.',
		);
}

function describeNonRecording({ name, mimeType }: SentFile) {
	if (mimeType.startsWith('image/')) return 'an image';
	const ending = name.split('.').at(-1)!.toLowerCase();
	// Audio without a signature may have any declared type.
	if (isTextType(mimeType) && !AUDIO_EXTENSIONS.has(ending)) return `a text (${mimeType})`;
	return describeDocument(mimeType);
}
