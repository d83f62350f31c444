/** What the responses of a server taught about requests for a task with a model. */
import type { JsonRecord } from '../values/records';

/** A change of a rejected request body. */
export interface BodyChange {
	/** Identifies the change: each is tried once. */
	name: string;
	/** @returns the body itself if there is nothing to change. */
	apply(body: JsonRecord): JsonRecord;
	/** For changes of options that the user set. */
	warning?: string;
	/** Name of an earlier change that this one goes beyond: its warning is no longer true. */
	supersedes?: string;
}

/** A change of a request, and how long it is kept. */
export interface RequestChange extends BodyChange {
	/**
	 * How long it is kept once the server has accepted a request with it: for this exchange only, in the memory of the execution, or
	 * for all executions.
	 */
	keptFor: 'exchange' | 'execution' | 'server';
}

/** Where the server has a task. */
export interface KnownRoutes {
	/** The URLs that the server does not have. */
	missingUrls: readonly string[];
	/** The URL of the API that responded, if it is not the one of the Base URL. */
	apiUrl?: string;
}
