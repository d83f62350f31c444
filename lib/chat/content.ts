import type { ContentPart, MediaPart } from '../files/read-file';
import type { ChatMessage } from './types';
import { asRecord } from '../values';

/** The text of a content, without images, audio and video. */
export function getText(content: ChatMessage['content'], separator = ''): string {
	if (typeof content === 'string') return content;
	return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(separator);
}

/** The images, audio and video. */
export function getMedia(content: ChatMessage['content']): MediaPart[] {
	return typeof content === 'string' ? [] : content.filter((part) => part.type !== 'text');
}

/** Joins adjacent texts with a line break: some templates put nothing between them, which would merge words. */
export function joinAdjacentTexts(parts: readonly ContentPart[]): ContentPart[] {
	const joined: ContentPart[] = [];
	for (const part of parts) {
		const previous = joined.at(-1);
		if (part.type === 'text' && previous?.type === 'text')
			joined[joined.length - 1] = { type: 'text', text: `${previous.text}\n${part.text}` };
		else joined.push(part);
	}
	return joined;
}

/** Whether a message contains an image, audio or video. */
export function hasMedia({ content }: ChatMessage): boolean {
	return getMedia(content).length > 0;
}

/** The text of a content block. */
export function blockToText(block: unknown): string {
	if (typeof block === 'string') return block;
	if (block === null || block === undefined) return '';
	const { text } = asRecord(block);
	return typeof text === 'string' ? text : JSON.stringify(block);
}
