/** What the attempts of a turn have in common. */
import type { ModelServer, ServerType } from '../servers/types/server-type';
import type { RawToolCall } from '../text/calls/types';
import type { DisplayedText } from './read/displayed-text';
import type { ChatSettings } from './settings';
import type { ToolNames } from './tools/tool-names';
import type { ChatRequest } from './chat-request';
import { isJsonRequested } from './settings';

/** What all attempts of a turn share. Nothing of it is replaced during the turn; only the display and the cut calls grow. */
export interface TurnContext {
	readonly server: ModelServer;
	readonly serverType: ServerType;
	readonly settings: ChatSettings;
	readonly chatRequest: ChatRequest;
	readonly toolNames: ToolNames;
	/** Texts of users, tools and files: a call in the response that stands in one of them is a quotation. */
	readonly quotableTexts: readonly string[];
	/** Where the text goes that users see. */
	readonly display: DisplayedText;
	/** Calls of all attempts whose arguments were not complete, in their order. */
	readonly cutCalls: RawToolCall[];
	/** By `performance.now()`. */
	readonly startedAt: number;
}

/** Whether the text is shown only when it is complete and valid, not as it arrives. */
export function showsTextAtEnd({ chatRequest, settings }: TurnContext): boolean {
	return chatRequest.isNeededOnlyAtEnd === true || isJsonRequested(settings.sampling);
}
