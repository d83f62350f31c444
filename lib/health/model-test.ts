/** What a test needs that goes the way of a chat. */
import { ChatClient } from '../chat/client';
import type { ChatParameters } from '../chat/types';
import type { Connection } from '../http/connection';

/** A client for the answers of a test. A retry would exceed the cost that was announced. */
export function testClient(
	connection: Connection,
	model: string,
	parameters: ChatParameters,
	limitMs: number,
): ChatClient {
	return new ChatClient(connection, {
		model,
		parameters,
		reasoningEcho: 'toolTurns',
		showThinking: false,
		limits: { firstTokenMs: limitMs, idleMs: limitMs, totalMs: limitMs },
		retries: 0,
	});
}
