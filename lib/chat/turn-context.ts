import type { QueueStats } from '../http/types';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import type { DisplayedText } from './displayed-text';
import type { RawToolCall } from './tool-calls';
import type { ToolNames } from './tool-names';
import type { ChatSettings, ChatRequest, Usage } from './types';

/** What all attempts of a turn share. */
export interface TurnContext {
	server: ModelServer;
	serverType: ServerType;
	settings: ChatSettings;
	chatRequest: ChatRequest;
	queueStats: QueueStats;
	toolNames: ToolNames;
	/** Whether a call in the response text is a quotation from the conversation, without the corrections of this turn. */
	isQuotation: (call: RawToolCall) => boolean;
	display: DisplayedText;
	/** By `performance.now()`. */
	startedAt: number;
	/** The sum of all attempts so far. */
	usage?: Usage;
}
