import type { RecordedExchange } from './exchange';

interface RunningSim {
	/** Without a path. */
	url: string;
	close(): Promise<void>;
}

/** Exchanges with one real server, and the simulator that must give the same answers. */
export interface RecordedTopic {
	/** `test/fixtures/models/<topic>.json`: `llama-server-v0.5.0/rerank`. */
	topic: string;
	/** Starts a simulator in the state of the real server at this request. */
	start(recorded: RecordedExchange): Promise<RunningSim>;
	/**
	 * One simulator, started for the first exchange, gets all of them in order: for routes whose answers depend on earlier
	 * requests.
	 */
	inOrder?: boolean;
	/** Cases where the simulator deviates, by name, with the reason. The list may only become shorter. */
	deviations: Record<string, string>;
}
