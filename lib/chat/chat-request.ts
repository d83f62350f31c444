/** What a chain or an agent asks for. */
import type { InputMessage } from './input-message';
import type { UnusableTool, ToolDefinition, ToolChoice } from './tool-definition';
import type { ChatResult } from './chat-result';
import type { JsonSchemaFormat } from './settings';

/** The form that a caller requires of one response. */
export interface RequestedFormat extends Pick<JsonSchemaFormat, 'schema' | 'name'> {
	/** Whether the caller also reads a response that does not match the schema after its corrections. */
	acceptsMismatch: boolean;
	/** What the schema cannot express, in sentences. */
	findIssues(value: unknown): readonly string[];
}

/** A request of a chain or agent. */
export interface ChatRequest {
	messages: readonly InputMessage[];
	tools?: readonly ToolDefinition[];
	/** Connected tools that are not offered. A call of one is valid. */
	unofferedTools?: readonly ToolDefinition[];
	/** Connected tools that cannot be offered. A call of one is not valid. */
	unusableTools?: readonly UnusableTool[];
	toolChoice?: ToolChoice;
	/** The form of this response, in place of the one in the settings. The prompt gets its schema. */
	requestedFormat?: RequestedFormat;
	/** Additional stop texts for this call. */
	stop?: readonly string[];
	signal?: AbortSignal;
	/** Whether the response is needed only when complete. */
	isNeededOnlyAtEnd?: boolean;
}

/**
 * Generates the result of a chat request.
 *
 * @param onDelta called with the text as it arrives
 * @throws {ServerError} with the received text
 */
export type ChatGenerator = (
	chatRequest: ChatRequest,
	onDelta?: (delta: string) => void,
) => Promise<ChatResult>;
