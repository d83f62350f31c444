import type { ChatMessage, ContentPart } from '../types';

/** The text of a content, without its pictures and recordings. */
export function textOf(content: ChatMessage['content'], between = ''): string {
	if (typeof content === 'string') return content;
	return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(between);
}

/** The pictures and recordings. */
export function mediaOf(
	content: ChatMessage['content'],
): Array<Exclude<ContentPart, { type: 'text' }>> {
	return typeof content === 'string' ? [] : content.filter((part) => part.type !== 'text');
}
