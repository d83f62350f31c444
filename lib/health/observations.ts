import type { FailureDetails } from '../errors/server-error';
import type { CallAnswer } from '../http/types';
import type { KindName } from '../servers/kinds';
import type { ServerModel } from '../servers/models';

/** What a check concludes, in one word. Everything but `healthy` leaves the node by its second output. */
export type HealthStatus =
	| 'healthy'
	| 'degraded'
	| 'loading'
	| 'unreachable'
	| 'unauthorized'
	| 'misconfigured';

/** Kind of the server at the address. */
export type HealthServerKind =
	| Exclude<KindName, 'other'>
	| 'openAiCompatible'
	| 'stableDiffusionWebUi'
	| 'dify'
	| 'unknown';

/** A request of a check. Its route is in `model-server-probes.ts` or `dify-probes.ts`. */
export type ProbeName =
	| 'health'
	| 'models'
	| 'props'
	| 'metrics'
	| 'slots'
	| 'ollamaVersion'
	| 'version'
	| 'info'
	| 'guarded'
	| 'keyless'
	| 'ollamaTags'
	| 'ollamaRunning'
	| 'running'
	| 'originHealth'
	| 'embeddings'
	| 'rerank'
	| 'pictureModels'
	| 'chat'
	| 'difyInfo'
	| 'difyParameters'
	| 'difyDatasets';

/** Why a probe has no usable answer, with the texts of the remedy tables. */
export interface ProbeFailure
	extends Pick<FailureDetails, 'kind' | 'message' | 'remedy' | 'code' | 'serverText'> {
	/** The answer began, but did not end. */
	began?: boolean;
}

interface ProbeBase {
	method: 'GET' | 'POST';
	url: string;
	/** From sending to the last byte, or to the timeout. */
	ms: number;
}

export type Probe =
	| (ProbeBase &
			/** Of the body, the first 256 KB. */
			Omit<CallAnswer, 'url'> & {
				answered: true;
				/** Final address, where redirects led to another one. */
				endedAt?: string;
				/** Set for an error status, and for a web page in place of JSON. */
				failure?: ProbeFailure;
			})
	| (ProbeBase & { answered: false; failure: ProbeFailure });

/** What the user needs of the server. Each one that is missing becomes a finding. */
export interface Expectations {
	model?: string;
	/** Tokens that one request can use. */
	minContext?: number;
}

/** Another address that was tried, without any key, because the one in the credential does not work. */
export interface Alternative {
	/** As it would be typed into Base URL. */
	baseUrl: string;
	/** What must answer there for the address to be the right one. */
	expects: 'anything' | 'models' | 'dify';
	probe: Probe;
}

/** Probes of a single model, or of a knowledge base of Dify. */
export interface ModelProbes {
	search?: Probe;
	props?: Probe;
	metrics?: Probe;
	show?: Probe;
}

/** Everything that one check saw. Plain data: the diagnosis needs no more. */
export interface Observations {
	service: 'modelServer' | 'dify';
	/** The resolved address; undefined where it cannot be used at all. */
	url?: { typed: string; origin: string; root: string; api: string };
	/** Why no request could be sent. */
	rejected?: ProbeFailure;
	keySet: boolean;
	authentication: 'bearer' | 'xApiKey';
	/** Of the credential; 0 = unlimited. */
	maxConcurrentRequests: number;
	/** Which routes a Dify key is meant for. */
	keyType?: 'app' | 'knowledge';
	/** Whether the check was to ask the models behind Dify. */
	asksModels?: boolean;
	probes: Partial<Record<ProbeName, Probe>>;
	perModel: Record<string, ModelProbes>;
	alternatives: Alternative[];
	/** The last check of this address to which the server answered, where this process remembers one. */
	before?: { status: HealthStatus; msAgo: number };
	/** How long the running requests have made no progress, as far as this process has seen. */
	unchangedMs?: number;
	expectations: Expectations;
	/** Milliseconds for the whole check. */
	checkMs: number;
}

export type Severity = 'error' | 'warning' | 'info';

/** One thing that the user should know. */
export interface Finding {
	/** Stays the same from version to version, for use in expressions. */
	id: string;
	severity: Severity;
	/** What was seen. */
	observed: string;
	/** What that means. */
	meaning: string;
	/** What to do. */
	advice: string;
	/** Of which server, where there are several. */
	url?: string;
}

/** Fields of a model that are not reported, or in another form. */
type NotTold = 'video' | 'reranks' | 'exitCode' | 'args' | 'parameters';

/** A model, as far as the server tells; null = not known. */
export type ModelFacts = Pick<ServerModel, 'id' | 'aliases'> & {
	[Name in Exclude<keyof ServerModel, 'id' | 'aliases' | NotTold>]-?: NonNullable<
		ServerModel[Name]
	> | null;
} & { parameters: number | null; loaded: boolean | null };

/** A server, as far as it tells; null = not known. */
export interface ServerFacts {
	server: { kind: HealthServerKind; version: string | null };
	latencyMs: number | null;
	models: ModelFacts[];
	/**
	 * `total` of a router: of the expected model, or the same number of all loaded models. `busy`: of that model, or of all
	 * together.
	 */
	slots: { total: number | null; busy: number | null };
	/** Requests that wait for a slot. */
	queue: number | null;
	contextPerSlot: number | null;
	sleeping: boolean | null;
	template: Record<string, boolean> | null;
	features: {
		metrics: boolean | null;
		slots: boolean | null;
		embeddings: boolean | null;
		rerank: boolean | null;
	};
	/** Only for the key of a Dify app: that app. */
	app?: { name: string | null; mode: string | null };
}

/** What a check tells. Plain data without any key, ready to be an item. */
export interface CheckResult
	extends Pick<ServerFacts, 'server' | 'latencyMs'>,
		Partial<Omit<ServerFacts, 'server' | 'latencyMs'>> {
	status: HealthStatus;
	healthy: boolean;
	summary: string;
	/** The address, as it was understood; null when it cannot be used. */
	url: string | null;
	/** Most important first. */
	findings: Finding[];
	/** ISO time. */
	checkedAt: string;
	/** Milliseconds that the check took. */
	checkMs: number;
	/** The result of each server, where the credential has several. */
	servers?: CheckResult[];
}
