import { isRecord, type JsonRecord, recordOf, text } from '../../../values';
import { eachChunk } from '../chunk';
import { choiceOf } from './origin';

/** Content in parts, as a number, or in the field of a text completion. */
export const contentParts = () =>
	eachChunk((chunk) => {
		if (chunk.text !== undefined || chunk.origin === undefined) return chunk;
		const choice = choiceOf(chunk);
		const { content } = recordOf(choice.delta);
		const written = textOf(content) ?? text(choice.text);
		return written === undefined ? chunk : { ...chunk, text: written };
	});

function textOf(content: unknown): string | undefined {
	if (typeof content === 'number') return String(content);
	if (typeof content !== 'object' || content === null) return undefined;
	return [content].flat().map(textOfPart).join('');
}

function textOfPart(part: unknown): string {
	if (!isRecord(part)) return text(part) ?? '';
	return isThinking(part) ? '' : (text(part.text) ?? '');
}

export function isThinking({ type }: JsonRecord): boolean {
	return type === 'thinking' || type === 'reasoning';
}
