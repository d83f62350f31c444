/** Parts of a message's content in the form of OpenAI's API. */
import type { VideoField } from '../../servers/kinds/chat-abilities';
import { base64Of } from '../request/data-url';
import type { ContentPart } from '../types';
import type { JsonRecord } from '../../values';

export function wirePart(part: ContentPart, videoField: VideoField = 'video_url'): JsonRecord {
	switch (part.type) {
		case 'text':
			return { type: 'text', text: part.text };
		case 'image':
			return { type: 'image_url', image_url: { url: part.url } };
		case 'audio':
			return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
		case 'video':
			return { type: videoField, [videoField]: wireVideo(part.url, videoField) };
	}
}

/** llama-server decodes bare base64; some of its versions refuse a data URL here (docs/protocols/llama-server.md 5). */
function wireVideo(url: string, videoField: VideoField): object {
	return videoField === 'input_video' ? { data: base64Of(url) } : { url };
}
