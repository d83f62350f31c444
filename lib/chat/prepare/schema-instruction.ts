/** The lines by which a model gets the schema of its response. */
import type { JsonRecord } from '../../values/records';
import type { ChatRequest } from '../chat-request';
import type { InputMessage } from '../input-message';
import { toSystemMessage } from '../input-message';
import type { Origin, OriginText } from '../../origin';

/**
 * For servers that do not enforce the schema, and for the descriptions of its fields, which a grammar cannot express.
 *
 * @param origin who wrote the schema
 */
export function buildSchemaInstruction(schema: JsonRecord, origin: Origin): OriginText[] {
	const request = 'Answer with JSON that follows this JSON schema, and with nothing else:';
	return [
		{ text: request, origin: 'node' },
		{ text: JSON.stringify(schema), origin },
	];
}

/** The messages of a request, with the schema of its format after the system messages at their beginning. */
export function withSchemaInstruction({
	messages,
	requestedFormat,
}: ChatRequest): readonly InputMessage[] {
	if (!requestedFormat) return messages;
	const firstOther = messages.findIndex(({ type }) => type !== 'system');
	const end = firstOther === -1 ? messages.length : firstOther;
	const instruction = toSystemMessage(buildSchemaInstruction(requestedFormat.schema, 'foreign'));
	return [...messages.slice(0, end), instruction, ...messages.slice(end)];
}
