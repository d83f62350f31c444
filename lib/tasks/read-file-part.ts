/** Opens a file of an item for a model: as a picture, sound, video or text, or refuses it by what it is. */
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
import { openMail } from './mail';
import { describeFile, type SentFile } from './file-errors';

interface ItemFile {
	name: string;
	/** As n8n calls it. */
	mimeType: string;
	bytes: Buffer;
}

interface FilePart {
	/** In the form of OpenAI. */
	block: object;
	/** For refusals. */
	sentFile: SentFile;
	warnings: string[];
}

/** @throws {ServerError} of kind `invalidInput` for a file that no model server reads, before anything is sent */
export async function readFilePart(file: ItemFile): Promise<FilePart> {
	const { name, mimeType, bytes } = file;
	const type = detectFileType(bytes) ?? fileTypeFromMime(mimeType) ?? UNKNOWN_FILE_TYPE;
	const sentFile = { name, mimeType, size: bytes.byteLength, head: bytes.subarray(0, 4096) };
	const remedy = UNSUPPORTED_FILE_SUGGESTIONS[type.extension];
	if (remedy !== undefined)
		throw createInputError(`A model server cannot read the file ${describeFile(sentFile)}`, remedy);
	if (type.category === 'mail') {
		const { text, hints: warnings } = await openMail(name, bytes);
		return { block: { type: 'text', text }, sentFile, warnings };
	}
	return { block: blockOf(type, file), sentFile, warnings: getFileWarnings(type, file) };
}

function blockOf(
	{ category, mimeType, extension }: FileType,
	{ bytes, mimeType: declared }: ItemFile,
): object {
	if (category === 'text') return { type: 'text', text: decodeText(bytes) };
	const data = bytes.toString('base64');
	const url = `data:${mimeType};base64,${data}`;
	if (category === 'picture') return { type: 'image_url', image_url: { url } };
	// A container of videos may hold sound alone, which only its declared type tells.
	const isSound = category === 'sound' || parseMimeType(declared).startsWith('audio/');
	if (isSound) return { type: 'input_audio', input_audio: { data, format: extension } };
	return { type: 'video_url', video_url: { url } };
}

const UPRIGHT = 1;

function getFileWarnings({ extension }: FileType, { name, bytes }: ItemFile): string[] {
	if (extension !== 'jpg') return [];
	const orientation = readOrientation(bytes) ?? UPRIGHT;
	const turned = `The image "${name}" is rotated (EXIF orientation ${orientation}), which servers ignore. Rotate it with the node "Edit Image" (Rotate) first.`;
	// Seen of llama-server v0.5.0, even where nothing but the header is there.
	const cut = `The image "${name}" is incomplete, so it may have been truncated in transit. Servers accept it anyway and fill the missing part with gray. Check the node that created the file.`;
	return [...(orientation === UPRIGHT ? [] : [turned]), ...(isTruncatedJpeg(bytes) ? [cut] : [])];
}
