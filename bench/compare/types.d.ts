/** Shapes of the comparison with n8n's own chat models. */
import type { Execution, JsonObject, ModelCall, N8nServer } from '../../scripts/lib/types';

export type ContestantName = 'local' | 'responses' | 'completions' | 'ollama';

/** How a server speaks, by the path that was asked. */
export type Dialect = 'chatCompletions' | 'responses' | 'ollama';

/** What happens to answers on their way. */
export interface Faults {
	/** Nothing is answered for so long, not even headers: as llama-server does until the first token. */
	holdMs?: number;
	/** 503 in llama-server's words, from the first request on. */
	loadingMs?: number;
	/** 404 outside `/v1`: Ollama and vLLM have it so, llama-server answers with and without. */
	onlyV1?: boolean;
	/** Records with text of the answer that pass. */
	endAfterText?: number;
	/** What comes after them: the connection breaks, or an error as a further record. */
	end?: 'cut' | 'error';
	/** Answers in place of llama-server. */
	answer?: (body: JsonObject, dialect: Dialect) => string[];
}

/** One POST that reached the server. */
export interface TapRequest {
	path: string;
	body: JsonObject;
	/** When it came, by `performance.now()`. */
	atMs: number;
	status: number;
	/** Records of the answer as n8n got them: events, lines, or one whole body. */
	records: string[];
	/** When n8n closed the connection before the answer had ended. */
	leftAtMs?: number;
	/** What llama-server itself counted. */
	counted?: { prompt: number; completion: number };
}

export interface Tap {
	/** Without `/v1`. */
	url: string;
	requests: TapRequest[];
	stop(): Promise<void>;
}

/** What stays the same for all contestants of a situation. */
export interface Question {
	text: string;
	/** n8n types the answer into a chat (the default), or the workflow wants one item. */
	streamed?: boolean;
	root?: 'agent' | 'chain';
	/** Connects n8n's calculator. */
	calculator?: boolean;
	maxTokens?: number;
	jsonSchema?: JsonObject;
	/** Raises what the node has as time limit. */
	limitSeconds?: number;
	/** A picture goes along, in a workflow that does not stream. */
	picture?: boolean;
	/** What is typed as base URL; each contestant's natural one where it is not given. */
	baseUrl?: string;
	/** Longest wait before the execution is stopped. */
	timeoutMs?: number;
}

export interface ToolRun {
	input: string;
	output: string;
}

export interface Outcome {
	/** What n8n typed into the chat. */
	shown: string;
	/** What the agent or chain put out. */
	output: string;
	status: string;
	error?: { message: string; description: string };
	ms: number;
	tools: ToolRun[];
	calls: ModelCall[];
	/** What n8n recorded of the model's answers, as text. */
	log: string;
	execution: Execution;
}

export interface Cell {
	/** Whether the user gets what the situation calls for. */
	right: boolean;
	says: string[];
}

export interface Stage {
	n8n: N8nServer;
	/** llama-server with scripted answers. */
	scripted: string;
	/** The same with `--reasoning-format none`. */
	unparsed: string;
	/** The same with a context of 512 tokens. */
	small: string;
	/** llama-server that answers with noise, and keeps to grammars. */
	noise: string;
	/** llama-server whose answers never end. */
	endless: string;
	tap(upstream: string, faults?: Faults): Promise<Tap>;
}

export interface Situation {
	/** The row's heading. */
	title: string;
	/** What a user needs: by this `right` is judged, the same for all. */
	wanted: string;
	/** Why a contestant has no cell. */
	without?: Partial<Record<ContestantName, string>>;
	/** Takes minutes: runs beside the others, and not with `--quick`. */
	slow?: boolean;
	run(stage: Stage, contestant: ContestantName): Promise<Cell>;
}
