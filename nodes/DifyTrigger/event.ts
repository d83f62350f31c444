import type { DifyClient } from '../../lib/dify/client';
import type { NodeParameters } from '../shared/parameters';

/** How many examples the editor gets. */
export const SHOWN = 3;

/** What an event needs to find new records. */
export interface EventCall {
	client: DifyClient;
	parameters: NodeParameters;
}

/** A kind of event in Dify that starts a workflow. */
export interface WatchedEvent {
	/**
	 * Records since the last poll, oldest first. None without a memory, at the first poll.
	 *
	 * @param memory as returned by the last poll
	 */
	news(call: EventCall, memory: unknown): Promise<{ memory: object; items: object[] }>;
	/** The newest records that would start the workflow, oldest first, as test data for building it. */
	examples(call: EventCall): Promise<object[]>;
}
