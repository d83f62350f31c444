/** What a model of n8n calls for a response. */
import type { ChatRequest } from '../chat/chat-request';
import type { ChatResult } from '../chat/chat-result';

/**
 * Generates a response for n8n: errors are those that n8n shows. `createRequest` reads LangChain's messages and tools,
 * which may be invalid.
 */
export type HostGenerator = (
	createRequest: () => ChatRequest | Promise<ChatRequest>,
	onDelta?: (delta: string) => void,
) => Promise<ChatResult>;
