/** The facts of an error that its sentences may include. */
import type { GatewayName } from '../gateway-status';
import type { LoadCause } from '../load-cause';
import type { RequestLimit } from './request-limit';

/** Facts that a sentence may include. All optional: a sentence is complete without them. */
export interface ErrorFacts {
	/** Resolved URL of the request. */
	url?: string;
	/** Host name without port. */
	host?: string;
	port?: string;
	/** Root URL of the server, to suggest as Base URL. */
	root?: string;
	/** The Base URL as entered. */
	typed?: string;
	/** The low-level code, for example `ECONNREFUSED`. */
	code?: string;
	/** The timeout that expired. */
	timeoutMs?: number;
	status?: number;
	model?: string;
	location?: string;
	/** Tokens of the prompt. */
	promptTokens?: number;
	/** Tokens that prompt and response may have together. */
	contextTokens?: number;
	/** Tokens that were requested for the response, if the server counts them. */
	responseTokens?: number;
	/** The context is that of a slot of llama-server. */
	isSlot?: boolean;
	/** What a model cannot read: image, audio or video. */
	modality?: string;
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
	/** No instance of the model responds to its gateway. */
	hasNoInstance?: boolean;
	/** An instance of the model will run, but does not yet. */
	isInstanceStarting?: boolean;
	/** A gateway paused all deployments of the model after they failed. */
	isPaused?: boolean;
	/** Which limit a server that accepts no more requests has reached. */
	requestLimit?: RequestLimit;
	/** A limit of requests at the same time that a gateway sets for a key, not that of the server. */
	isConcurrencyLimit?: boolean;
	/** Whose budget is used up, if it is not that of the key. */
	budgetOwner?: string;
	/** The key was valid once. */
	isKeyExpired?: boolean;
	/** The key, or its team, was switched off. */
	isKeyBlocked?: boolean;
	/** The model, a base model, has no chat template. */
	hasNoTemplate?: boolean;
	/** The server was given the URL of a file, and did not get the file. */
	isNotFetched?: boolean;
	/** The chat template cannot run on this server, whatever the conversation is. */
	isTemplateBroken?: boolean;
	/** What is wrong with the schema, in the words of the server. */
	schemaIssue?: string;
	/** The server or its model has no output in a schema or grammar at all. */
	isGrammarUnsupported?: boolean;
	/** The model did not fail, but took longer than its server waits. */
	isLoadTimeout?: boolean;
	/** What was missing to load the model, if the server names it. */
	loadCause?: LoadCause;
	/** The memory for a prompt is exceeded, not the context. */
	isMemoryLimit?: boolean;
	/** The host that the server could not connect to; undefined: a process on its own machine, or not known. */
	unreachedHost?: string;
	/** A server behind the gateway lacks the path. */
	isUpstreamRoute?: boolean;
	/** What a rejection is about: the key or its owner, or something else; undefined: it gives no reason. */
	forbiddenReason?: 'key' | 'other';
	/** The server needs an account of its own elsewhere: Ollama, for the models of ollama.com. */
	isSignInRequired?: boolean;
	/** The address of n8n is blocked after it sent wrong keys. */
	isAddressBanned?: boolean;
	/** The model that a server behind the gateway lacks; the gateway has the one that was requested. */
	upstreamModel?: string;
	/** A process failed to allocate memory. */
	isOutOfMemory?: boolean;
	/** The request contained files. Undefined: not known. */
	hasFiles?: boolean;
	/** The backend of the server that a model needs and that is not installed, or its name is unknown: empty. */
	missingBackend?: string;
	/** What the server does not know of a model, such as `architecture "qwen35"`. */
	unknownPart?: string;
	/** The message is that of a fault in the program of the server. */
	isProgramFault?: boolean;
	/** The response had no body. */
	isEmpty?: boolean;
	/** The response was a web page. */
	isPage?: boolean;
	/** The response was Dify's. */
	isDify?: boolean;
	/** The response was the page of a Node.js program, such as n8n, for a missing path. */
	isNodePage?: boolean;
	/** The gateway that failed, or whose limit is reached, if the response names it. */
	gateway?: GatewayName;
	/** A gateway waited for the rest of the request, not for the response. */
	isRequestSlow?: boolean;
	/** The server has the model, but not for this key. */
	hasNoAccess?: boolean;
	/** The message repeats the status of a gateway. */
	isGatewayStatusRepeated?: boolean;
	/** Seconds after which it stopped waiting, if the message states them. */
	limitSeconds?: number;
	/** The service, if it is not a model server. */
	service?: 'dify';
	/** The request is about a knowledge base of Dify. */
	isKnowledge?: boolean;
	/** The request starts a run of a Dify app. */
	isRunStart?: boolean;
}
