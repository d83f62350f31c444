/** Results of Server Health: plain data without any key, ready to be an item. */
import type { ServerTypeName } from '../servers/types/server-type';
import type { ServerModel } from '../servers/models';

/** Conclusion of a check. All but `healthy` go to the second output of the node. */
export type HealthStatus =
	| 'healthy'
	| 'degraded'
	| 'loading'
	| 'unreachable'
	| 'unauthorized'
	| 'misconfigured';

export type Severity = 'error' | 'warning' | 'info';

export interface Finding {
	/** Stays the same from version to version, for use in expressions. */
	id: string;
	severity: Severity;
	/** Evidence, such as a request and its response. */
	observed: string;
	/** The problem, as a clause without period. */
	detail: string;
	/** How to fix it. */
	suggestion: string;
}

/** Requirements of the user. Each unmet one becomes a finding. */
export interface Expectations {
	model?: string;
	/** Tokens that one request can use. */
	minContext?: number;
}

/** A model, as far as the server reports it; null = not known. */
export interface ModelFacts extends Pick<ServerModel, 'id' | 'aliases'> {
	/** Tokens of context that one request can use. */
	context: number | null;
	/** Tokens of context that the model was trained for. */
	trainedContext: number | null;
	parameters: number | null;
	/** Bytes. */
	size: number | null;
	quantization: string | null;
	vision: boolean | null;
	audio: boolean | null;
	tools: boolean | null;
	embeddings: boolean | null;
	/** The host on which it runs, if not on this server. */
	remoteHost: string | null;
	loaded: boolean | null;
	state: string | null;
}

/** A model server, as far as it reports; null = not known. For a router: slots and context of one loaded model. */
export interface ServerFacts {
	models: ModelFacts[];
	slots: { total: number | null; busy: number | null };
	/** Requests that wait for a slot. */
	queue: number | null;
	contextPerSlot: number | null;
	sleeping: boolean | null;
}

export interface CheckResult extends Partial<ServerFacts> {
	/** One sentence. */
	summary: string;
	status: HealthStatus;
	healthy: boolean;
	/** The parsed URL; null if it cannot be used. */
	url: string | null;
	/** Most important first. */
	findings: Finding[];
	server: {
		type: ServerTypeName | 'openAiCompatible' | 'dify' | 'unknown';
		version: string | null;
	};
	/** Duration of the fastest response. */
	latencyMs: number | null;
	/** Only for the key of a Dify app: that app. */
	app?: { name: string | null; mode: string | null };
	/** ISO time. */
	checkedAt: string;
	/** Milliseconds that the check took. */
	checkMs: number;
}
