export interface ModelWork {
	model: string;
	signal?: AbortSignal;
}

export interface ChangeOptions extends ModelWork {
	/** Wait until it is done. With Ollama and llama-swap this is always so. */
	wait: boolean;
	/** Unload a model even if that cuts off running answers. */
	cutAnswers?: boolean;
	/** Limit for the whole action. */
	limitMs: number;
	/** Between polls of a router's list. */
	pauseMs?: number;
}

/** The state of a model before and after. */
export interface Change {
	/** Its name on the server, where an alias was given. */
	model: string;
	before: string;
	state: string;
	/**
	 * After unloading from a router or llama-swap: whether it was certain that no answer was running. False: the server
	 * does not show that.
	 */
	sawNoAnswers?: boolean;
}

/** One line of progress. */
export interface Progress {
	status: string;
	/** The layer that is being downloaded. */
	digest?: string;
	/** Bytes of the layer. */
	total?: number;
	completed?: number;
}

export interface PullOptions extends ModelWork {
	/** Only a router can go on without waiting: others abort the download with the connection. */
	wait: boolean;
	/** Ollama: allow a registry without TLS. */
	insecure?: boolean;
	/** Milliseconds without progress after which it fails; 0: no limit. */
	idleMs: number;
	onProgress?(progress: Progress): Promise<void> | void;
}

export interface Pulled {
	/** `success`, or `downloading` without waiting. */
	state: string;
	/** Whether anything was downloaded; undefined if unknown. */
	changed?: boolean;
	/** Bytes of the model, and bytes downloaded now. */
	size?: number;
	downloaded?: number;
}
