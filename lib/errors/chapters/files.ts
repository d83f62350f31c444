/** The chapter of files: those that a chat or a task sent. */
import type { ErrorType } from '../error-types';
import { formatBytes } from '../../values/size';
import type { Facts, NamedFile } from '../facts';
import type { Row } from './row';
import { defineRow } from './row';

/** Few servers say that a file is the reason. */
const PERHAPS_ABOUT_FILE: readonly ErrorType[] = ['badRequest', 'serverError'];

/** Types that most servers read. */
const USUAL_MEDIA: ReadonlySet<string> = new Set([
	'image/jpeg',
	'image/png',
	'audio/wav',
	'audio/mp3',
	'audio/flac',
]);

/** The same for recordings, by their content. */
const USUAL_RECORDINGS: ReadonlySet<string> = new Set(['audio/wav', 'audio/mpeg', 'audio/flac']);

export const FILE_ROWS: readonly Row[] = [
	defineRow({
		types: PERHAPS_ABOUT_FILE,
		needs: ['media', 'isAboutMedia'],
		tell: ({ media }) => adviseOnMediaTypes(media) ?? adviseOnNumber(media),
	}),
	defineRow({
		types: PERHAPS_ABOUT_FILE,
		needs: ['media', 'hasNoSentence'],
		tell: ({ media }) =>
			adviseOnMediaTypes(media) ??
			'Send the request without its files, which shows whether the error is about them.',
	}),
	// A server that expects text may not say so: "cannot unmarshal array into Go struct field".
	defineRow({
		types: ['badRequest'],
		needs: ['media'],
		tell: ({ media }) =>
			`${describeMedia(media)} sent as well: send the request without ${media.length === 1 ? 'it' : 'them'}, which shows whether the error is about ${media.length === 1 ? 'it' : 'them'}.`,
	}),
	defineRow({
		types: PERHAPS_ABOUT_FILE,
		needs: ['recording'],
		tell: ({ recording }) => adviseOnRecordingType(recording),
	}),
	defineRow({
		types: PERHAPS_ABOUT_FILE,
		needs: ['recording', 'hasNoSentence'],
		tell: () => 'Try a short recording in wav, which shows whether the error is about this file.',
	}),
];

/** By a file that few servers read, or one that the server fetches itself; undefined if there is none. */
function adviseOnMediaTypes(media: Facts['media']): string | undefined {
	const types = media.map(({ mimeType }) => mimeType);
	const unusual = types.find((type) => type !== undefined && !USUAL_MEDIA.has(type));
	if (unusual !== undefined)
		return `Most servers read only JPEG and PNG, and wav, mp3 and flac. Convert the file of type ${unusual}, or try it without that file.`;
	return types.includes(undefined)
		? 'The server fetches a file from its URL itself: check that its machine reaches the URL, or pass the file on as binary data.'
		: undefined;
}

/** Undefined for a type that most servers read. */
function adviseOnRecordingType(type: string): string | undefined {
	return USUAL_RECORDINGS.has(type)
		? undefined
		: `Most servers read wav, mp3 and flac: try one of these instead of a file of type ${type}.`;
}

/** Undefined for a single file. */
function adviseOnNumber({ length }: Facts['media']): string | undefined {
	return length === 1 ? undefined : `${length} files were sent in one request: send fewer of them.`;
}

/** With its verb: "1 file (image/png) was", "2 files (image/png, audio/wav) were". */
function describeMedia(media: Facts['media']): string {
	const types = [...new Set(media.flatMap(({ mimeType }) => mimeType ?? []))].join(', ');
	const inBrackets = types === '' ? '' : ` (${types})`;
	return media.length === 1 ? `1 file${inBrackets} was` : `${media.length} files${inBrackets} were`;
}

/** `"photo.jpg" (image/heic by its content, 1.2 MB)` */
export function describeNamedFile({ name, declaredType, actualType, size }: NamedFile): string {
	const declared = declaredType || 'unknown type';
	const isOther = actualType !== undefined && actualType !== declared;
	return `"${name}" (${isOther ? `${actualType} by its content` : declared}, ${formatBytes(size)})`;
}
