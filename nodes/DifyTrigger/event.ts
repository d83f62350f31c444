import type { DifyClient } from '../../lib/dify/client';
import type { NodeParameters } from '../shared/parameters';

/** What an event gets to look for news. */
export interface EventCall {
	client: DifyClient;
	parameters: NodeParameters;
}

/** Something in Dify that starts a workflow. */
export interface WatchedEvent {
	/**
	 * What is new since the last time, oldest first. Without a memory: nothing, since all that is there is known.
	 *
	 * @param memory as it was returned the last time
	 */
	news(call: EventCall, memory: unknown): Promise<{ memory: object; items: object[] }>;
	/** The newest ones, to build a workflow with. */
	examples(call: EventCall): Promise<object[]>;
}
