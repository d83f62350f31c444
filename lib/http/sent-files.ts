/** Whether a request contains files. */
import type { JsonRecord } from '../values/records';
import { asArray, asRecords, isNonEmpty } from '../values/records';
import type { RequestOptions } from './types';

/** @returns undefined for a request without a body. Only forms with files are sent unchanged. */
export function hasFiles({
	json,
	upload,
}: Pick<RequestOptions, 'json' | 'upload'>): boolean | undefined {
	if (upload !== undefined) return true;
	return json && hasMediaParts(json);
}

/** Whether JSON contains files: parts of messages that are no text, and the images of Ollama. */
function hasMediaParts({ messages, images, image }: JsonRecord): boolean {
	const isMedia = ({ type }: JsonRecord) => type !== undefined && type !== 'text';
	const hasMedia = (message: JsonRecord) =>
		isNonEmpty(message.images) || asRecords(asArray(message.content)).some(isMedia);
	return isNonEmpty(images) || isNonEmpty(image) || asRecords(messages).some(hasMedia);
}
