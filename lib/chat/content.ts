import type { ChatMessage, ContentPart, MediaPart } from './types';

/** The text of a content, without its pictures and recordings. */
export function textOf(content: ChatMessage['content'], between = ''): string {
	if (typeof content === 'string') return content;
	return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(between);
}

/** The pictures and recordings. */
export function mediaOf(content: ChatMessage['content']): MediaPart[] {
	return typeof content === 'string' ? [] : content.filter((part) => part.type !== 'text');
}

/** With texts in a row as one: some templates put nothing between them, and halves of a word would join. */
export function withTextsJoined(parts: readonly ContentPart[]): ContentPart[] {
	const joined: ContentPart[] = [];
	for (const part of parts) {
		const before = joined.at(-1);
		if (part.type === 'text' && before?.type === 'text')
			joined[joined.length - 1] = { type: 'text', text: `${before.text}\n${part.text}` };
		else joined.push(part);
	}
	return joined;
}

/** Whether a message has a picture, a recording or a video. */
export function hasMedia({ content }: ChatMessage): boolean {
	return mediaOf(content).length > 0;
}
