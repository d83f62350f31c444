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
	/** The bytes are markup or JSON, whatever the name says. */
	isMarkup?: boolean;
}

/** For markup or JSON under the name of another format. */
export const DOWNLOAD_ERROR_HINT =
	'Check the node that created it: it may be the error of a download, for example of an expired link.';

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
			file.isMarkup === true
				? `${DOWNLOAD_ERROR_HINT} Enter the field that contains the recording.`
				: 'Enter the field that contains the recording.',
		);
}

function describeNonRecording({ name, mimeType, isMarkup = false }: SentFile) {
	if (mimeType.startsWith('image/')) return 'an image';

	const ending = name.split('.').at(-1)!.toLowerCase();
	const isAudioByName = AUDIO_EXTENSIONS.has(ending);
	if (isMarkup && (isAudioByName || !isTextType(mimeType)))
		return 'a text by its content (markup or JSON)';
	// Audio without a signature may have any declared type.
	if (isTextType(mimeType) && !isAudioByName) return `a text (${mimeType})`;
	return describeDocument(mimeType);
}
