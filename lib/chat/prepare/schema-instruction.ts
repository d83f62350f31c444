/** The sentence by which a model gets the schema of its response. */
import type { JsonRecord } from '../../values/records';
import type { ChatRequest } from '../chat-request';
import type { InputMessage } from '../input-message';

/** For servers that do not enforce the schema, and for the descriptions of its fields, which a grammar cannot express. */
export function buildSchemaInstruction(schema: JsonRecord): string {
	return `Answer with JSON that follows this JSON schema, and with nothing else:\n${JSON.stringify(schema)}`;
}

/** The messages of a request, with the schema of its format after the system messages at their beginning. */
export function withSchemaInstruction({
	messages,
	requestedFormat,
}: ChatRequest): readonly InputMessage[] {
	if (!requestedFormat) return messages;
	const firstOther = messages.findIndex(({ type }) => type !== 'system');
	const end = firstOther === -1 ? messages.length : firstOther;
	const content = buildSchemaInstruction(requestedFormat.schema);
	return [...messages.slice(0, end), { type: 'system', content }, ...messages.slice(end)];
}
