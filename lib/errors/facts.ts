/**
 * What is known of a failure. Each fact is a number, a name, an enum, or a list of these, set where it is known: when the error is
 * created, or by `investigate` at the end of an exchange, a task or a run. A sentence is no fact.
 */
import type { RejectedTextCall } from '../rejected-call';
import type { ServerTypeName } from '../server-type-name';
import type { GatewayName } from './gateway-status';
import type {
	DifyIssue,
	DifyModel,
	InvalidCalls,
	ListIssue,
	ModelActionIssue,
	ModelLack,
	ResponseEnd,
	ResultIssue,
	RunIssue,
	SlowIndexing,
	UnsupportedAction,
	UntakenMedia,
} from './issues';
import type { ServerTask } from './lacking-task';

/** Where a node has a value that an error is about. */
export interface ValuePlace {
	/** Label of the field in the editor. */
	label: string;
	/** Name of the value in that field, which has several. Default: the field is the value. */
	entry?: string;
}

/** An option that a response names. */
export interface NamedOption extends ValuePlace {
	/** What to do about its value, if the operation knows more than that it has to be changed. */
	remedy?: string;
}

/** A file of a chat. */
export interface SentMedia {
	/** MIME type of a file that was sent as data; undefined: the server fetches it from a URL. */
	mimeType: string | undefined;
}

/** A part of a prompt, with its size in bytes. */
export type PromptPart =
	| { kind: 'systemMessage'; bytes: number }
	| { kind: 'earlierConversation'; bytes: number }
	/** The definitions of all tools. */
	| { kind: 'tools'; count: number; bytes: number }
	| { kind: 'files'; count: number }
	/** The question of the turn. */
	| { kind: 'input'; bytes: number }
	/** Of one call in the turn. */
	| { kind: 'toolResult'; tool: string; bytes: number };

/** A text that the server refuses alone, while it accepts others. */
export interface RefusedText {
	/** Among all texts, from 0. */
	index: number;
	/** Its beginning, as errors quote it. */
	beginning: string;
	/** What the server made of it was unreadable. */
	isUnreadable: boolean;
	/** Its beginning was sent as well. */
	isShortened: boolean;
	/** The server has accepted one that is much longer, or has read this one. */
	isNotTooLong: boolean;
}

/** What is wrong with vectors. */
export type VectorIssue =
	/** No list that may contain them. */
	| { kind: 'missing' }
	| { kind: 'count'; sent: number; received: number }
	/** Their indexes are incomplete, or one is there twice. */
	| { kind: 'indexes' }
	/** A text that is no base64 of 32-bit numbers. */
	| { kind: 'notBase64' }
	/** A text has a list of vectors. */
	| { kind: 'several' }
	/** Objects in place of numbers. */
	| { kind: 'sparse' }
	/** No array of numbers, or an empty one. */
	| { kind: 'notNumbers' }
	/** NaN, or a number beyond 32 bits. */
	| { kind: 'notFinite' }
	| { kind: 'zeros' }
	| { kind: 'dimensions'; dimensions: number; expected: number };

/** The text with an unusable vector. */
export interface QuotedText {
	/** Among all texts, from 0. */
	index: number;
	/** Its beginning. */
	beginning: string;
}

/** Vectors of another size than an option says. */
export interface OtherDimensions {
	/** Of the vectors. */
	received: number;
	/** As the option says. */
	expected: number;
	/** Label of the option. */
	option: 'Dimensions' | 'Expected Dimensions';
}

/** An upload that did not end. */
export interface BrokenUpload {
	/** Of the file, if it is one of several. */
	name?: string;
	/** Bytes of the file. */
	fileSize: number;
	/** Those that were sent. */
	sentBytes: number;
}

/** A response whose compression cannot be read. */
export interface UnreadableCompression {
	/** As the response names it. */
	encoding: string;
	/** What is wrong with its bytes; undefined: it was not asked for. */
	reason?: string;
}

/** What a response has too much of. */
export interface ResponseExcess {
	/** `values`: as many take too much memory. */
	of: 'bytes' | 'text' | 'values';
	/** As many are read. */
	maxBytes: number;
	/** It begins like JSON. */
	isJson: boolean;
}

/** What bounds the requests at the same time. */
export interface ConcurrencyLimits {
	/** Of the credential; 0: that of the server. */
	limit: number;
	/** Of the server. Default: 1. */
	slots?: number;
}

/** A file that was sent. */
export interface NamedFile {
	name: string;
	/** MIME type as n8n reports it; empty: none. */
	declaredType: string;
	/** By its content, if that shows another one. */
	actualType?: string;
	/** Bytes. */
	size: number;
}

/** A context in which an input would fit. */
export interface NeededContext {
	/** By which its texts are found. */
	serverType: ServerTypeName;
	/** Undefined: the model supports no larger one. */
	tokens?: number;
	/** Slots that share it, if they are known. */
	slots?: number;
}

/** An input of which a server processed only a part. */
export interface CutInput {
	/** Tokens. */
	processed: number;
	/** Sent. */
	characters: number;
	/** Tokens of the context, if they are known. */
	context?: number;
	needed: NeededContext;
}

/** A prompt that leaves little of the context. */
export interface FilledContext {
	/** Tokens of the prompt. */
	used: number;
	/** Tokens of the context. */
	context: number;
	needed: NeededContext;
}

/** What is known of the context, in tokens. */
export interface ContextSizes {
	/** Of the server now; undefined: not known. */
	current: number | undefined;
	/** What the model was trained with; infinite: not known. */
	trained: number;
	/** Slots that share the context. */
	slots: number | undefined;
}

/** A recognized server. */
export interface KnownServer {
	/** By which its texts are found; `other`: not recognized. */
	type: ServerTypeName;
	/** Its name in sentences. */
	label: string;
	/** It has every route, whatever its models support: a missing one means a wrong path. */
	hasEveryRoute: boolean;
	/** It has routes of its own, and starts each model for its task. */
	hasNativeRoutes: boolean;
}

/** An object of a knowledge base that Dify has not found. What it is in exists. */
export interface MissingObject {
	kind: 'knowledgeBase' | 'document' | 'chunk';
	/** As sent. */
	id: string;
}

/** Why Dify would not accept a file. */
export type FileObstacle =
	| { type: 'disabled' }
	/** Names of the types that it accepts, such as `images` and `.zip`. */
	| { type: 'kind'; accepted: readonly string[] }
	| { type: 'urlsOnly' }
	| { type: 'uploadsOnly' }
	| { type: 'size'; maxMegabytes: number }
	| { type: 'count'; maxFiles: number };

/** Files that were not sent, since Dify would not accept them. */
export interface UnacceptedFiles {
	/** Names or URLs: of one file, or of all if there are too many. */
	names: readonly string[];
	obstacle: FileObstacle;
	/** Label of the field in the form of the app or run. Default: files beside the form. */
	formField?: string;
}

/** A field of the form of an app, with what decides whether Dify accepts a value. */
export interface FormFieldLimits {
	/** Name of its variable. */
	variable: string;
	/** As Dify names it, such as `paragraph`. */
	type: string;
	/** Characters, or files of a list; undefined or 0: any number. */
	maxLength?: number;
	/** The only values; empty: any. */
	options: readonly string[];
}

/** The node of a workflow in Dify that failed. */
export interface FailedNode {
	/** Its title, or its ID. */
	name: string;
	/** Such as `http-request`; undefined: not known. */
	type?: string;
}

/** An app of another type than the request requires. */
export interface OtherApp {
	/** As in Dify's interface, with its article. */
	name: string;
	/** The node for it. */
	node: string;
}

/** Fields of a form to which no value was sent. */
export interface MissingValues {
	names: readonly string[];
	/** Values that the form would accept, by field. */
	example: Readonly<Record<string, string>>;
}

/** A file that could not be read while it was sent. */
export interface UnreadableFile {
	name: string;
	/** As n8n says it. */
	reason: string;
}

/** Why a file is not fetched from the URL that Dify has for it. */
export type SignedFileObstacle =
	| { kind: 'noUrl'; text: string }
	/** With its colon, such as `ftp:`. */
	| { kind: 'otherProtocol'; protocol: string }
	| { kind: 'otherOrigin'; origin: string };

/** A file that was sent, and of which nothing was heard. */
export interface UnstoredFile {
	name: string;
	/** Milliseconds that the node waited. */
	waitedMs: number;
}

/** Where the node has a value that an error is about. */
export interface ValueSource {
	/** `part`: an expression of a collection, which may be about another value in it. */
	from: 'node' | 'expression' | 'part';
	/** There is none, or it must be another one. */
	problem: 'empty' | 'wrong';
	/** The node continues after errors. */
	isTolerant: boolean;
}

/** A field of the item that the expression of a field reads, and that the item does not have. */
export interface MissingItemField {
	name: string;
	/** Label of the field with the expression. */
	label: string;
	/** The item is the error of an earlier node. */
	isOfError: boolean;
	/** How the item would get it. */
	source: { kind: 'item' } | { kind: 'chat'; trigger?: string };
}

/** What was done to a model on a server. */
export type ModelCommand =
	/** `hasBegun`: a layer was named, so the registry has the model. */
	| { kind: 'pull'; hasBegun: boolean }
	/** `isRouter`: the server deletes only what it has downloaded. */
	| { kind: 'remove'; isRouter: boolean };

/** What Server Health checks. */
export type CheckedService = 'modelServer' | 'dify';

/** Where a prompt comes from, of which no part decides that it is too long; `limitedChat`: Maximum Tokens is set. */
export type PromptSource = 'chat' | 'limitedChat' | 'text' | 'state';

/** Facts by their names. None of them has to be known. */
export interface Facts {
	/** Resolved URL of the request. */
	url: string;
	/** Host name without port. */
	host: string;
	port: string;
	/** Root URL of the server, to suggest as Base URL. */
	root: string;
	/** The Base URL as entered. */
	typed: string;
	/** A response came from this address within the last ten minutes. */
	hasAnswered: boolean;
	/** The low-level code, for example `ECONNREFUSED`. */
	code: string;
	/** The timeout that expired. */
	timeoutMs: number;
	/** HTTP status of the response. */
	status: number;
	/** As sent; empty: none. */
	model: string;
	location: string;
	tool: string;
	/** What is wrong with a tool call. */
	details: string;
	maxTokens: number;
	/** The model ended its response itself, not a token limit. */
	hasModelEnded: boolean;
	/** The request turned thinking off. */
	isThinkingOff: boolean;
	/** No key was sent. */
	isKeyMissing: boolean;
	/** The request contained files. Undefined: not known. */
	hasFiles: boolean;
	/** The server wrote no sentence: nothing, a page, or the phrase of a status. */
	isEmpty: boolean;
	/** The title is all that the server wrote. */
	isWholeMessage: boolean;
	/** The response was a web page. */
	isPage: boolean;
	/** The response was Dify's. */
	isDify: boolean;
	/** The response was the page of a Node.js program, such as n8n, for a missing path. */
	isNodePage: boolean;
	/** The gateway that responded, if a header names it. */
	gateway: GatewayName;
	/** The service, if it is not a model server. */
	service: 'dify';
	/** The request is about a knowledge base of Dify. */
	isKnowledge: boolean;
	/** What arrived of a Dify run until its timeout, if no event of it did. */
	onlyReceived: 'pings' | 'nothing';
	/** The request starts a run of a Dify app. */
	isRunStart: boolean;
	/** The request is a message of a conversation with a Dify app. */
	isChatMessage: boolean;

	/** Milliseconds of a probe that got no response. */
	probeTimeoutMs: number;
	/** What the network says of a failure that has no code. */
	failureReason: string;
	/** Milliseconds that a connection was open before it was closed, if that is a while. */
	openMs: number;
	/** Bytes per second, of which fewer arrived for the time of the timeout. */
	missedRate: number;
	compression: UnreadableCompression;
	excess: ResponseExcess;
	/** The request was not sent: it waited in the queue of n8n. */
	queue: ConcurrencyLimits;
	/** Milliseconds for which a busy server refused the request again and again. */
	refusedForMs: number;
	/** Milliseconds that the server requests as a pause, if that is too long to wait. */
	requestedPauseMs: number;
	/** The server said that the model was loading, and then refused connections. */
	hasExitedWhileLoading: true;
	/** Files that the error may be about. */
	sentFiles: readonly NamedFile[];
	/** What a value that was not sent is, of which only the title says what is wrong with it. */
	inputKind: 'field' | 'option' | 'emptyField';
	/** The field of the node is fixed text with an expression of n8n in it. */
	isFixedExpression: true;
	valueSource: ValueSource;
	missingItemField: MissingItemField;
	/** The file is that of a document in a knowledge base, which was to be downloaded. */
	isDocumentDownload: true;
	/** The server that the credential has recognized until now, in whose words its errors are told. */
	serverType: ServerTypeName;
	/** Extra headers of the credential could not be resolved in the editor, so they were not sent. */
	lacksHeaders: true;
	/** The model runs in Ollama's cloud. */
	isCloudModel: true;

	/** The place in the request that the response names, and whose label is in the title. */
	labelledPlace: string;
	/** Options that the response names. */
	namedOptions: readonly NamedOption[];
	/** Files of the messages; at least one. */
	media: readonly SentMedia[];
	/** The sentence of the server has a word for images or audio that the request did not contain. */
	isAboutMedia: true;
	/** The part that decides how long the prompt is. */
	largestPart: PromptPart;
	promptSource: PromptSource;
	/** What users call a text of the task. */
	textNoun: 'Text' | 'Document';
	refusedText: RefusedText;
	/** Texts that the server refused, each sent alone, while it accepted no other. */
	refusedTexts: number;
	vectorIssue: VectorIssue;
	/** The text with that vector. */
	textOfVector: QuotedText;
	/** The server has returned usable vectors in this run. */
	hasUsableVectors: true;
	otherDimensions: OtherDimensions;
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
	/** The operation has the option Maximum Tokens. */
	hasTokenOption: true;
	/** The operation has the option with this label. */
	repeatPenaltyLabel: string;
	/** The model wrote output before the error, so the prompt fitted into the context. */
	hasOutput: true;
	/** The server rejects its own limit of tokens, since none was sent: the prompt leaves no room for a response. */
	isRoomNegative: true;
	/** The server is silent while it works on such a request. */
	isSilentTask: true;
	/** The server got the request: it did not wait in the queue of n8n. */
	wasSent: true;

	/** What the server was asked to do, if some servers cannot. */
	task: ServerTask;
	/** The server as its facts say, which may have been requested. */
	server: KnownServer;
	/** The server is recognized, so its address is right, and it may lack a route for a model. */
	lacksRoutes: true;
	/** The Base URL leads to a model server: it lists models there. */
	isRightAddress: true;
	/** Nothing shows that it does: the server lists no models, and wrote no sentence. */
	isUnprovenAddress: true;
	/** The response has the status of what was not found, or names the model: its list shows whether it has it. */
	mayLackModel: true;
	/** A server of this type may stand before another one, which has a key of its own. */
	mayHaveKeyBehind: true;
	/** A server of this type may stand before another one, which has models of its own. */
	mayHaveModelBehind: true;
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
	/** The server cut the input off. */
	cutInput: CutInput;

	/** The server is Dify Cloud, whose settings nobody can change. */
	isDifyCloud: true;
	missingObject: MissingObject;
	unacceptedFiles: UnacceptedFiles;
	/** Label of the field of the node that Dify names by its parameter. */
	namedParameter: string;
	/** By which Dify names the error. */
	difyCode: string;
	otherApp: OtherApp;
	formField: FormFieldLimits;
	failedNode: FailedNode;
	missingValues: MissingValues;
	unreadableFile: UnreadableFile;
	signedFileObstacle: SignedFileObstacle;
	unstoredFile: UnstoredFile;
	/** Dify refused the request before a run started, so that it has stored none. */
	isBeforeRun: true;
	/** The connection or a proxy failed, which leaves open whether Dify has started the run. */
	mayHaveStarted: true;

	modelCommand: ModelCommand;
	modelActionIssue: ModelActionIssue;
	unsupportedAction: UnsupportedAction;
	listIssue: ListIssue;
	/** The server has no list of its voices. */
	listsNoVoices: true;
	modelLack: ModelLack;
	/** Name of a model that answers typed questions, and writes no text. */
	decisionModel: string;

	resultIssue: ResultIssue;
	untakenMedia: UntakenMedia;
	/** MIME type of a stream that is plain text. */
	plainStream: string;
	/** As many are allowed in one response. */
	tooManyCalls: number;
	invalidCalls: InvalidCalls;
	/** Looks like a call in the text of the response. */
	rejectedCall: RejectedTextCall;
	/** How the response of a chat ended. */
	responseEnd: ResponseEnd;
	/** The token limit ended the response. */
	isCutOff: true;
	/** The model stopped right after it had begun a JSON value. */
	hasOnlyBegun: true;
	/** The token limit ended the JSON of the response. */
	cutJson: true;
	/** How the JSON of the response differs from its schema. */
	wrongJson: readonly string[];

	difyIssue: DifyIssue;
	runIssue: RunIssue;
	slowIndexing: SlowIndexing;
	/** That of the knowledge base, whose document was split into chunks, and of which one was not indexed. */
	embeddingModel: DifyModel;
	/** The response that has too much is one event of a run. */
	isRunEvent: true;

	/** The request was a probe of Server Health. */
	checkedService: CheckedService;
	/** The request was a generation of Server Health, whose probes were all answered. */
	isTestGeneration: true;
	/** The server accepted a connection. */
	isConnected: true;

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
	/** What was checked has no advice of its own. */
	hasPlainAdvice: true;
}

/** What is known of one failure. */
export type KnownFacts = Readonly<Partial<Facts>>;
