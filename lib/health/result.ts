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

/** A model, as far as the server reports it. */
export interface ModelFacts extends Pick<ServerModel, 'id'>, Partial<Pick<ServerModel, 'aliases'>> {
	/** Tokens of context that one request can use. */
	context?: number;
	/** Tokens of context that the model was trained for. */
	trainedContext?: number;
	parameters?: number;
	/** Bytes. */
	size?: number;
	quantization?: string;
	vision?: boolean;
	audio?: boolean;
	tools?: boolean;
	embeddings?: boolean;
	/** The host on which it runs, if not on this server. */
	remoteHost?: string;
	loaded?: boolean;
	state?: string;
}

/** A server, as far as it reports. For a router: slots and context of one loaded model. */
export interface ServerFacts {
	/** The parsed URL; missing if it cannot be used. */
	url?: string;
	type: ServerTypeName | 'openAiCompatible' | 'dify' | 'unknown';
	version?: string;
	/** Duration of the fastest response. */
	latencyMs?: number;
	slots?: number;
	busySlots?: number;
	/** Requests that wait for a slot. */
	queue?: number;
	contextPerSlot?: number;
	sleeping?: boolean;
}

/** Facts that are not known are missing. */
export interface CheckResult {
	/** One sentence, which repeats no finding. */
	summary: string;
	status: HealthStatus;
	healthy: boolean;
	/** Most important first. */
	findings: Finding[];
	server: ServerFacts;
	/** Only for a model server. */
	models?: ModelFacts[];
	/** Only for the key of a Dify app: that app. */
	app?: { name?: string; mode?: string };
	/** ISO time. */
	checkedAt: string;
}
