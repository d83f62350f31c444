/** Parts of a message's content in the form of OpenAI's API. */
import type { ContentPart } from '../types';

export function wirePart(part: ContentPart): Record<string, unknown> {
	switch (part.type) {
		case 'text':
			return { type: 'text', text: part.text };
		case 'image':
			return { type: 'image_url', image_url: { url: part.url } };
		case 'audio':
			return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
	}
}
