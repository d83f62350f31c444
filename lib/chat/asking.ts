import type { QueueLog } from '../http/ask';
import type { Server, ServerKind } from '../servers/kinds/kind';
import type { Shown } from './shown';
import type { ToolNames } from './tool-names';
import type { Call, ChatSettings } from './types';

/** What stays the same through all tries of a turn. */
export interface Asking {
	server: Server;
	kind: ServerKind;
	settings: ChatSettings;
	call: Call;
	/** How it came through the queue. */
	place: QueueLog;
	names: ToolNames;
	shown: Shown;
	/** By `performance.now()`. */
	startedAt: number;
}
