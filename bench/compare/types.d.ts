/** Shapes of the comparison with n8n's own chat models. */
import type { Execution, JsonObject, ModelCall, N8nServer } from '../../scripts/lib/types';

export type ContestantName = 'local' | 'responses' | 'completions' | 'ollama';

/** Protocol of an answer, by the path of the request. */
export type Dialect = 'chatCompletions' | 'responses' | 'ollama';

/** How the tap changes answers. */
export interface Faults {
	/** Delay before the headers; llama-server sends none before the first token. */
	holdMs?: number;
	/** llama-server's 503 for so long, from the first request on. */
	loadingMs?: number;
	/** 404 outside `/v1`, like Ollama and vLLM; llama-server answers with and without it. */
	onlyV1?: boolean;
	/** How many records with text pass before `end`. */
	endAfterText?: number;
	/** Then the connection is dropped, or an error record is sent. */
	end?: 'cut' | 'error';
	/** Replaces llama-server's answers; returns the records. */
	answer?: (body: JsonObject, dialect: Dialect) => string[];
}

/** One POST that reached the server. */
export interface TapRequest {
	path: string;
	body: JsonObject;
	/** Arrival, by `performance.now()`. */
	atMs: number;
	status: number;
	/** Records of the answer as n8n got them: events, lines, or one whole body. */
	records: string[];
	/** When n8n closed the connection, if before the end of the answer. */
	leftAtMs?: number;
	/** llama-server's own token counts. */
	counted?: { prompt: number; completion: number };
}

export interface Tap {
	/** Without `/v1`. */
	url: string;
	requests: TapRequest[];
	stop(): Promise<void>;
}

/** One run of a situation, the same for all contestants. */
export interface Question {
	text: string;
	/** Whether n8n streams the answer into a chat (default `true`). */
	streamed?: boolean;
	root?: 'agent' | 'chain';
	/** Connects n8n's calculator. */
	calculator?: boolean;
	maxTokens?: number;
	jsonSchema?: JsonObject;
	/** Raises the node's time limit. */
	limitSeconds?: number;
	/** Sends a picture too, in a workflow that does not stream. */
	picture?: boolean;
	/** What is typed as base URL; default: the usual one for each contestant. */
	baseUrl?: string;
	/** Longest wait before the execution is stopped. */
	timeoutMs?: number;
}

export interface ToolRun {
	input: string;
	output: string;
}

export interface Outcome {
	/** Text that n8n streamed into the chat. */
	shown: string;
	/** Output of the agent or chain. */
	output: string;
	status: string;
	error?: { message: string; description: string };
	ms: number;
	tools: ToolRun[];
	calls: ModelCall[];
	/** The model's answers in n8n's execution data, as text. */
	log: string;
	execution: Execution;
}

export interface Cell {
	/** Whether the user gets `wanted` of the situation. */
	right: boolean;
	says: string[];
}

export interface Environment {
	n8n: N8nServer;
	/** llama-server with scripted answers. */
	scripted: string;
	/** The same with `--reasoning-format none`. */
	unparsed: string;
	/** The same with a context of 512 tokens. */
	small: string;
	/** llama-server that answers with noise, but follows grammars. */
	noise: string;
	/** llama-server whose answers never end. */
	endless: string;
	tap(upstream: string, faults?: Faults): Promise<Tap>;
}

export interface Situation {
	/** The row's heading. */
	title: string;
	/** What a user needs: the rule for `right`. */
	wanted: string;
	/** Why a contestant has no cell. */
	without?: Partial<Record<ContestantName, string>>;
	/** Takes minutes: runs in parallel with the others, and not with `--quick`. */
	slow?: boolean;
	run(environment: Environment, contestant: ContestantName): Promise<Cell>;
}
