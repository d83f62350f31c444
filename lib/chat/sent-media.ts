/** The files of a prompt, for the advice of an error. */
import type { SentMedia } from '../errors/facts';
import type { ServerError } from '../errors/server-error';
import { toRejection } from '../exchange/rejection';
import type { MediaPart } from '../files/read-file';
import type { ChatMessage } from './chat-message';
import { getMedia } from './content';
import { getTextsOfOthers } from './request-texts';

/** The files of a prompt; undefined if there are none. */
export function findSentMedia(messages: readonly ChatMessage[]): SentMedia[] | undefined {
	const media = messages.flatMap(({ content }) => getMedia(content)).map(toSentMedia);
	return media.length > 0 ? media : undefined;
}

/** Whether the sentence of a server has a word for images or audio that the prompt does not contain. */
export function isAboutMedia(error: ServerError, messages: readonly ChatMessage[]): boolean {
	const textsOfOthers = getTextsOfOthers({ messages, tools: [] });
	const rejection = toRejection({ error, body: {}, textsOfOthers, isRepeated: false });
	return rejection.says('image') || rejection.says('audio');
}

const DATA_URL_TYPE = /^data:([\w.+-]{1,60}\/[\w.+-]{1,60})[;,]/;

function toSentMedia(part: MediaPart): SentMedia {
	const mimeType =
		part.type === 'audio' ? `audio/${part.format}` : DATA_URL_TYPE.exec(part.url)?.[1];
	return { mimeType };
}
