/** What the responses of a server taught about requests. */
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
	/** Not for later requests: it is not certain that the server rejected the body. */
	isTemporary?: true;
}

/** What the successful responses to one task taught. */
export interface Lessons {
	/** The changes of the body that the server requires. */
	changes: readonly BodyChange[];
	/** The URLs that the server does not have. */
	missingUrls: readonly string[];
	/** The URL of the API that responded, if it is not the one of the Base URL. */
	apiUrl?: string;
}
