import type { RecordedExchange } from './exchange';

interface RunningSim {
	/** Without a path. */
	url: string;
	close(): Promise<void>;
}

/** Some exchanges with one real server, and the simulator that has to answer the same. */
export interface RecordedTopic {
	/** `test/fixtures/models/<topic>.json`: `llama-server-v0.5.0/rerank`. */
	topic: string;
	/** A simulator in the state in which the real server got this request. */
	start(recorded: RecordedExchange): Promise<RunningSim>;
	/**
	 * One simulator, started for the first exchange, gets all of them in their order: for routes whose answers depend on
	 * what came before.
	 */
	inOrder?: boolean;
	/** Answers that the simulator does not give, by name, each with the reason. The list may only become shorter. */
	deviations: Record<string, string>;
}
