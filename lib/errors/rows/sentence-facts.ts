/** What the texts of a row are made from. */
import type { GatewayName } from '../gateway-status';

/** Facts that a sentence of a row may include. All optional: a sentence is complete without them. */
export interface SentenceFacts {
	/** Resolved URL of the request. */
	url?: string;
	/** Host name without port. */
	host?: string;
	port?: string;
	/** Root URL of the server, to suggest as Base URL. */
	root?: string;
	/** The Base URL as entered. */
	typed?: string;
	/** A response came from this address within the last ten minutes. */
	hasAnswered?: boolean;
	/** The low-level code, for example `ECONNREFUSED`. */
	code?: string;
	/** The timeout that expired. */
	timeoutMs?: number;
	status?: number;
	model?: string;
	location?: string;
	tool?: string;
	/** What is wrong with a tool call. */
	details?: string;
	maxTokens?: number;
	/** The model ended its response itself, not a token limit. */
	hasModelEnded?: boolean;
	/** The request turned thinking off. */
	isThinkingOff?: boolean;
	/** No key was sent. */
	isKeyMissing?: boolean;
	/** The request contained files. Undefined: not known. */
	hasFiles?: boolean;
	/** The server wrote no sentence: nothing, a page, or the phrase of a status. */
	isEmpty?: boolean;
	/** The title is all that the server wrote. */
	isWholeMessage?: boolean;
	/** The response was a web page. */
	isPage?: boolean;
	/** The response was Dify's. */
	isDify?: boolean;
	/** The response was the page of a Node.js program, such as n8n, for a missing path. */
	isNodePage?: boolean;
	/** The gateway that responded, if a header names it. */
	gateway?: GatewayName;
	/** The service, if it is not a model server. */
	service?: 'dify';
	/** The request is about a knowledge base of Dify. */
	isKnowledge?: boolean;
	/** What arrived of a Dify run until its timeout, if no event of it did. */
	onlyReceived?: 'pings' | 'nothing';
	/** The request starts a run of a Dify app. */
	isRunStart?: boolean;
	/** The request is a message of a conversation with a Dify app. */
	isChatMessage?: boolean;
}
