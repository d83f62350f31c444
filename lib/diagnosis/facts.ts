/** What advice may be based on: what was sent, what is known of the server, and how the request ended. */
import { isMissingStatus } from '../errors/missing-route';
import type { ServerError } from '../errors/server-error';
import { asFiniteNumber } from '../values/numbers';
import type { NamedOption } from '../exchange/named-options';
import type { ServerTask } from '../servers/task-advice';
import type { ServerType } from '../servers/types/server-type';
import type { ContextSizes } from './context-size';

/** A file of a chat. */
export interface SentMedia {
	/** MIME type of a file that was sent as data; undefined: the server fetches it from a URL. */
	mimeType: string | undefined;
}

/** A text that the server refuses alone, while it accepts others. */
export interface RefusedText {
	/** What the server made of it was unreadable. */
	isUnreadable: boolean;
	/** Its beginning was sent as well. */
	isShortened: boolean;
}

/** An upload that did not end. */
export interface BrokenUpload {
	/** Bytes of the file. */
	fileSize: number;
	/** Those that were sent. */
	sentBytes: number;
}

/** What Server Health checks. */
export type CheckedService = 'modelServer' | 'dify';

/** Each is undefined if it is not known, or is not so. */
export interface Facts {
	/** Options that the response names. */
	namedOptions: readonly NamedOption[];
	/** Files of the messages; at least one. */
	media: readonly SentMedia[];
	/** The sentence of the server has a word for images or audio that the request did not contain. */
	isAboutMedia: true;
	/** A sentence: what makes the largest part of the prompt smaller. */
	largestPart: string;
	/** A sentence: what makes a prompt shorter of which no part decides. */
	shorterPrompt: string;
	/** What users call a text of the task. */
	textNoun: 'Text' | 'Document';
	refusedText: RefusedText;
	/** MIME type of the recording, by its content. */
	recording: string;
	brokenUpload: BrokenUpload;
	/** The only thing that the server converts into rules of generation. */
	convertedRules: 'schema' | 'grammar' | 'tools';
	/** A seed was sent, so the model writes the same again. */
	hasFixedSeed: true;
	/** A response format was sent together with tools. */
	hasFormatWithTools: true;
	/** The format of the answer was requested as a tool call. */
	hasFormatTool: true;
	/** The server is silent while it works on such a request. */
	isSilentTask: true;
	/** The server got the request: it did not wait in the queue of n8n. */
	wasSent: true;

	/** What the server was asked to do, if some servers cannot. */
	task: ServerTask;
	/** As sent; empty: none. */
	model: string;
	serverType: ServerType;
	/** The server is recognized, so its address is right, and it may lack a route for a model. */
	lacksRoutes: true;
	/** The Base URL leads to a model server: it lists models there. */
	isRightAddress: true;
	/** Nothing shows that it does: the server lists no models, and wrote no sentence. */
	isUnprovenAddress: true;
	/** The response has the status of what was not found, or names the model: its list shows whether it has it. */
	mayLackModel: true;
	/** A sentence: what to do about the key of a server behind this one, if its type may have one. */
	keyBehind: string;
	/** A sentence: what to do about the model of a server behind this one, if its type may have one. */
	modelBehind: string;
	/** The server lists this model for the key of the credential, so that it accepts the key. */
	isListedForKey: true;
	/** The list by which the server was identified has this model; known without a request. */
	isInKnownList: true;
	/** Models that the server lists without this one. */
	otherModels: readonly string[];
	/** The server lists models, and not this one. */
	isModelMissing: true;
	/** Of the server and its model. */
	contextSizes: ContextSizes;
	/** A warning: the server cut the input off. */
	truncation: string;

	/** The request was a probe of Server Health. */
	checkedService: CheckedService;
	/** The request was a generation of Server Health, whose probes were all answered. */
	isTestGeneration: true;
	/** A sentence: what to check if no connection was made. */
	connectionAdvice: string;
	/** The server accepted a connection. */
	isConnected: true;

	/** HTTP status of the response. */
	status: number;
	/** The server wrote no sentence: only facts say what the error may be about. */
	hasNoSentence: true;
	/** What responded did not show that it is another program: Dify, n8n, a proxy that redirects. */
	isModelServer: true;
	/** The server lacks the route, or allows no POST there. */
	isRouteMissing: true;
	/** The body of a response with a status of success was empty. */
	isEmptyBody: true;
	/** Tokens of the prompt, as the response or the caller counts them. */
	promptTokens: number;
	/** Tokens of the context, as the response says. */
	contextTokens: number;
	/** Tokens that were requested for the response, as it says. */
	responseTokens: number;
	/** The suggestion that the error has so far: that of its type, of its server type, or of what created it. */
	currentAdvice: string;
	/** Nothing but its type has chosen the advice of the error. */
	hasPlainAdvice: true;
}

/** How each fact is looked up when a row needs it. Missing ones are not known. */
export type FactSources = {
	readonly [Name in keyof Facts]?: () => FactResult<Facts[Name]>;
};

type FactResult<Fact> = Fact | undefined | Promise<Fact | undefined>;

/** What the error itself says. */
export function getErrorFacts(error: ServerError): FactSources {
	const { type, status, facts, suggestion, isServerText, isOtherProgram, hasPlainAdvice } = error;
	const isMissing = type === 'routeNotFound' || (type === 'badRequest' && isMissingStatus(status));
	return {
		status: () => status,
		isConnected: () => facts.connected === true || undefined,
		hasNoSentence: () => isServerText !== true || undefined,
		isModelServer: () => isOtherProgram !== true || undefined,
		isRouteMissing: () => isMissing || undefined,
		wasSent: () => (facts.queued === true ? undefined : true),
		promptTokens: () => asFiniteNumber(facts.n_prompt_tokens),
		contextTokens: () => asFiniteNumber(facts.n_ctx),
		responseTokens: () => asFiniteNumber(facts.n_predict),
		currentAdvice: () => suggestion,
		hasPlainAdvice: () => hasPlainAdvice || undefined,
	};
}
