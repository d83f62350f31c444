/** What a chain or an agent asks for. */
import type { InputMessage } from './input-message';
import type { ToolDefinition, ToolChoice } from './tool-definition';
import type { ChatResult } from './chat-result';

/** A request of a chain or agent. */
export interface ChatRequest {
	messages: readonly InputMessage[];
	tools?: readonly ToolDefinition[];
	/** Connected tools that are not offered. A call of one is valid. */
	unofferedTools?: readonly ToolDefinition[];
	toolChoice?: ToolChoice;
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
