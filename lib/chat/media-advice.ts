/** What to do if a server rejects a request with images, audio or video, and does not say why. */
import type { MediaPart } from '../files/read-file';
import type { ServerType } from '../servers/types/server-type';

const TRY_WITHOUT =
	'The request contained images, audio or video, which the model may not support: try it without them.';

const SENT_AS_URL =
	'The server fetches a file from its URL itself: check that its machine reaches the URL, or pass the file on as binary data.';

/** What most servers read. */
const USUAL_TYPES: ReadonlySet<string> = new Set([
	'image/jpeg',
	'image/png',
	'audio/wav',
	'audio/mp3',
	'audio/flac',
]);

/** By what was sent: a file that few servers read, a URL, or anything else. */
export function suggestForMedia(media: readonly MediaPart[], { texts }: ServerType): string {
	const types = media.map(getType);
	const unusual = types.find((type) => type !== undefined && !USUAL_TYPES.has(type));
	if (unusual !== undefined)
		return `Most servers read only JPEG and PNG, and wav, mp3 and flac. Convert the file of type ${unusual}, or try it without that file.`;
	if (types.includes(undefined)) return SENT_AS_URL;
	return [TRY_WITHOUT, texts.suggestions?.modalityUnsupported ?? ''].join(' ').trim();
}

const DATA_URL_TYPE = /^data:([\w.+-]{1,60}\/[\w.+-]{1,60})[;,]/;

/** The MIME type of a file that was sent as data; undefined for one that was sent as a URL. */
function getType(part: MediaPart): string | undefined {
	return part.type === 'audio' ? `audio/${part.format}` : DATA_URL_TYPE.exec(part.url)?.[1];
}
