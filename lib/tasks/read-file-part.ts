/** Converts a file of an item to a content part: image, audio, video or text. */
import { createInputError } from '../errors/create-error';
import { parseMimeType } from '../file-name';
import {
	fileTypeFromMime,
	detectFileType,
	type FileType,
	isTruncatedJpeg,
	readOrientation,
	decodeText,
	UNKNOWN_FILE_TYPE,
	UNSUPPORTED_FILE_SUGGESTIONS,
} from '../files';
import { readMail } from './mail';
import { describeFile, type SentFile } from './file-errors';

interface ItemFile {
	name: string;
	/** As reported by n8n. */
	mimeType: string;
	bytes: Buffer;
}

interface FilePart {
	/** OpenAI content part. */
	block: object;
	/** For errors. */
	sentFile: SentFile;
	warnings: string[];
}

/** @throws {ServerError} `invalidInput` for a file that no model server supports, before anything is sent */
export async function readFilePart(file: ItemFile): Promise<FilePart> {
	const { name, mimeType, bytes } = file;
	const type = detectFileType(bytes) ?? fileTypeFromMime(mimeType) ?? UNKNOWN_FILE_TYPE;
	const sentFile = { name, mimeType, size: bytes.byteLength, head: bytes.subarray(0, 4096) };
	const suggestion = UNSUPPORTED_FILE_SUGGESTIONS[type.extension];
	if (suggestion !== undefined)
		throw createInputError(
			`A model server cannot read the file ${describeFile(sentFile)}`,
			suggestion,
		);
	if (type.category === 'email') {
		const { text, warnings } = await readMail(name, bytes);
		return { block: { type: 'text', text }, sentFile, warnings };
	}
	return { block: toContentBlock(type, file), sentFile, warnings: getFileWarnings(type, file) };
}

function toContentBlock(
	{ category, mimeType, extension }: FileType,
	{ bytes, mimeType: declared }: ItemFile,
): object {
	if (category === 'text') return { type: 'text', text: decodeText(bytes) };
	const data = bytes.toString('base64');
	const url = `data:${mimeType};base64,${data}`;
	if (category === 'image') return { type: 'image_url', image_url: { url } };
	// A video container may contain only audio, which only its declared type shows.
	const isAudio = category === 'audio' || parseMimeType(declared).startsWith('audio/');
	if (isAudio) return { type: 'input_audio', input_audio: { data, format: extension } };
	return { type: 'video_url', video_url: { url } };
}

const UPRIGHT = 1;

function getFileWarnings({ extension }: FileType, { name, bytes }: ItemFile): string[] {
	if (extension !== 'jpg') return [];
	const orientation = readOrientation(bytes) ?? UPRIGHT;
	const rotationWarning = `The image "${name}" is rotated (EXIF orientation ${orientation}), which servers ignore. Rotate it with the node "Edit Image" (Rotate) first.`;
	// Seen with llama-server v0.5.0, even if the file is only a header.
	const truncationWarning = `The image "${name}" is incomplete, so it may have been truncated in transit. Servers accept it anyway and fill the missing part with gray. Check the node that created the file.`;
	return [
		...(orientation === UPRIGHT ? [] : [rotationWarning]),
		...(isTruncatedJpeg(bytes) ? [truncationWarning] : []),
	];
}
