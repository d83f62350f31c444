/** What the node found out itself, and no server said: types of facts. */
import type { ServerTask } from './lacking-task';

/** An action on models that the server does not support. */
export interface UnsupportedAction {
	action: 'load' | 'unload' | 'pull' | 'remove';
	/** Labels of the server types that support it. */
	supporting: readonly string[];
}

/** Why an action on a model did not succeed. */
export type ModelActionIssue =
	/** llama-server that is not a router. */
	| { kind: 'singleModel' }
	/** Names of those that the router offers. */
	| { kind: 'notOffered'; offered: readonly string[] }
	| { kind: 'exited'; exitCode?: number }
	| { kind: 'notDone'; action: 'load' | 'unload'; afterMs: number }
	| { kind: 'inMemory'; afterMs: number }
	/** Requests that it processes; undefined: not known. `afterMs`: the node has waited. */
	| { kind: 'busy'; requests?: number; afterMs?: number }
	| { kind: 'notDownloaded' }
	| { kind: 'downloadEnded' };

/** What is wrong with a list of models. */
export type ListIssue =
	| { kind: 'empty'; hasKey: boolean }
	/** None of its models is for this. */
	| { kind: 'noneFor'; purpose: string; task: ServerTask }
	| { kind: 'tooLong'; count: number; maximum: number }
	| { kind: 'noReranking' };

/** What a model cannot do, as its server reports; `tools`: its chat template ignores them. */
export type ModelLack = 'tools' | 'images';

/** What was received in place of a result. */
export type ResultIssue =
	/** Of a decision model. */
	| { kind: 'noAnswers' }
	/** Questions by name, and what is wrong with their answers. */
	| { kind: 'answers'; problems: ReadonlyArray<{ question: string; problem: string }> }
	/** What is wrong with a ranking. */
	| { kind: 'ranking'; problem: string }
	| { kind: 'noTranscript' }
	| { kind: 'noImage' }
	| { kind: 'tooManyImages'; count: number; maximum: number }
	/** What it is instead. */
	| { kind: 'notAnImage'; received: string }
	| { kind: 'noAudio'; bytes: number }
	/** What it is instead. */
	| { kind: 'notAudio'; received: string };

/** What Dify did not return, or did not do. */
export type DifyIssue =
	| { kind: 'noObject' }
	| { kind: 'noList' }
	| { kind: 'noFileId' }
	| { kind: 'noDocumentId' }
	| { kind: 'noDownloadUrl' }
	| { kind: 'noAudio' }
	| { kind: 'notAudio'; received: string }
	| { kind: 'largeList'; path: string; maxBytes: number }
	| { kind: 'longList'; path: string; pages: number; pageSize: number }
	| { kind: 'largeFiles'; maxBytes: number }
	| { kind: 'metadataField'; name: string }
	| { kind: 'indexingPaused' };

/** A document that was not indexed in time. */
export interface SlowIndexing {
	documentId: string;
	status: string;
	afterMs: number;
	/** Chunks. */
	done: number;
	total: number;
}

/** A model of a provider in Dify. */
export interface DifyModel {
	name: string;
	/** ID of its provider. */
	provider: string;
}

/** Why a run of Dify has no result. */
export type RunIssue =
	/** Titles of the nodes that wait for a person. */
	| { kind: 'paused'; app: 'chatflow' | 'workflow'; nodes: readonly string[] }
	/** Its record does not say how it ended. */
	| { kind: 'unreported'; runId: string; afterMs: number }
	| { kind: 'totalTimeout'; afterMs: number }
	/** `onlyPings`: the connection was open, or something else arrived before. */
	| { kind: 'idleTimeout'; afterMs: number; onlyPings: boolean }
	/** As the program says it. */
	| { kind: 'cancelled'; reason: string };

/** What the native API of a server does not take. */
export type UntakenMedia = 'audio' | 'imageUrl';

/** A tool call that was received before an error. */
export interface PartialToolCall {
	name: string;
	/** As far as they were received. */
	arguments: string;
}

/** A call whose arguments are not complete. */
export interface CutCall {
	/** Name as the model wrote it. */
	tool: string;
	/** Characters of its arguments that arrived. */
	length: number;
	/** Attempts of the turn whose call of this tool ended at the same place, this one included. */
	times: number;
}

/** How a response ended, in tokens. Undefined: not known, or not so. */
export interface ResponseEnd {
	/** Characters that users have seen of the turn. */
	shownLength: number;
	/** Tokens of the prompt, as the response counts them. */
	promptTokens?: number;
	/** Tokens of the response. */
	completionTokens?: number;
	/** Maximum Tokens, if it is set. */
	maxTokens?: number;
	/** Tokens of the context, if the server has reported them. */
	contextTokens?: number;
	/** Whether the context ended the response, so that more tokens do not fit; false: a limit of its tokens did. */
	isContextFull?: boolean;
	/** The call that makes the response useless. */
	cutCall?: CutCall;
}

/** A call that cannot run; names and details are safe to show. */
export interface InvalidCall {
	type:
		| 'unknownTool'
		| 'brokenArguments'
		| 'ambiguousArguments'
		| 'missingArguments'
		| 'unknownArguments'
		| 'invalidArguments';
	tool: string;
	/** Names of arguments. */
	details: string;
}

/** Calls that cannot run. */
export interface InvalidCalls {
	/** The first one counts most. */
	calls: readonly InvalidCall[];
	/** Names of the connected tools, if one that is not connected was called. */
	connected?: readonly string[];
}
