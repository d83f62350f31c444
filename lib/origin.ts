/** Who wrote a text of a request. It is set where the text enters, and never derived later from a role, a position or a name. */

/** Who wrote a text. */
export type Origin =
	/** The author of the workflow: fixed text in our own fields. */
	| 'author'
	/** A user: messages of users, and values of expressions in our own fields. */
	| 'user'
	/** A model: messages of the assistant, also from a memory. */
	| 'model'
	/**
	 * Somebody else, or nobody knows: results of tools, files, definitions of an MCP server, the system message and the
	 * definitions that n8n passes on, and what a memory keeps of results of tools.
	 */
	| 'foreign'
	/** This package: its notes, prompts and corrections. */
	| 'node';

/** A text, and who wrote it. */
export interface OriginText {
	text: string;
	origin: Origin;
}

/** Whether neither the author of the workflow nor this package wrote a text. */
export function isOfOthers(origin: Origin): boolean {
	return origin !== 'author' && origin !== 'node';
}

/** Whether a text is of a user or of somebody whom nobody knows: a call in it may be a quotation. */
export function isOutside(origin: Origin): boolean {
	return origin === 'user' || origin === 'foreign';
}
