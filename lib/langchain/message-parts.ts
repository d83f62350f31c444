/** Who wrote the parts of a message that n8n passes on: only the kinds of its messages are known. */
import { getAssistantOrigin, toInputParts } from '../chat/input-message';
import type { InputMessage, InputPart } from '../chat/input-message';
import { asRecord } from '../values/records';

/** How n8n's agent begins the text of a file. */
const FILE_HEADER = /^File: [^\n]*\nContent:\n/;

/** The parts of a message of n8n. */
export function toMessageParts(type: InputMessage['type'], content: unknown): InputPart[] {
	switch (type) {
		case 'human':
			return [content].flat().map((block: unknown, index) => ({
				block,
				origin: isOfUser(block, index) ? 'user' : 'foreign',
			}));
		case 'ai':
			return toInputParts(content, getAssistantOrigin(content));
		// It may hold documents and expressions.
		case 'system':
			return toInputParts(content, 'foreign');
		case 'tool':
			return [{ block: content, origin: 'foreign' }];
	}
}

/** n8n's agent puts files after the question, which is a string, and begins the text of each with its name. */
function isOfUser(block: unknown, index: number): boolean {
	if (typeof block === 'string') return true;
	const { type, text } = asRecord(block);
	return type === 'text' && index === 0 && !FILE_HEADER.test(String(text));
}
