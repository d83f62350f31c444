/** What an exchange is made of. */
import type { ServerError } from '../errors/server-error';
import type { RequestChange } from '../servers/lessons';
import type { JsonRecord } from '../values/records';
import type { Adaptation, AdaptationRule, JointAdaptation } from './find-changes';
import type { RepetitionLimits } from './may-repeat';
import type { RouteTarget } from './routes';

/** A request of an exchange. */
export interface ExchangeRequest<D> {
	route: RouteTarget;
	/** The request before a route gives it its form. */
	draft: D;
	/** Changes of its body that rejections required. */
	changes: readonly RequestChange[];
}

/** The response is the result of the exchange. */
export interface UsableOutcome<V> {
	type: 'usable';
	value: V;
}

/** The request failed, or its response is of no use. */
export interface FailedOutcome {
	type: 'failed';
	error: ServerError;
	/** Whether output of this attempt has been shown already. */
	hasShownOutput?: boolean;
	/** Whether output of this attempt or one before has been shown. */
	hasEverShownOutput?: boolean;
	/** Whether output of this attempt has arrived, shown or not. */
	hasOutput?: boolean;
	/** Milliseconds from sending the request to its failure. */
	elapsedMs?: number;
	/** Whether the request contained files. */
	hasFiles?: boolean;
}

/** The server responded, but the model has to correct its output. */
export interface CorrectableOutcome<D, V> {
	type: 'correctable';
	/** The request that asks for the correction. */
	correctedDraft: D;
	/** What counts if no correction is requested any more. */
	outcomeIfUncorrected: UsableOutcome<V> | FailedOutcome;
}

export type AttemptOutcome<D, V> = UsableOutcome<V> | FailedOutcome | CorrectableOutcome<D, V>;

export type Adaptations = Readonly<
	Partial<Record<AdaptationRule, ReadonlyArray<Adaptation | JointAdaptation>>>
>;

/** Plain data, except for the adaptations. */
export interface ExchangeState<D> {
	request: ExchangeRequest<D>;
	/** The body that was sent. */
	body: JsonRecord;
	/** Its texts, as `Attempt` says. */
	textsOfOthers: readonly string[];
	/** Routes for the task, best first. */
	routes: readonly RouteTarget[];
	/** The URL of the API that the routes are below. */
	apiUrl: string;
	/** URLs that the server does not have. */
	missingUrls: readonly string[];
	adaptations: Adaptations;
	/** Requests sent, the current one included. */
	requestCount: number;
	/** Rules that were applied, with the change of each. */
	appliedRules: readonly AppliedRule[];
	/** The first error since the server accepted a request. */
	firstError?: ServerError;
	/** The error of a server that failed, after which the same request was sent once more. */
	serverFailure?: ServerError;
	/** The request that was sent twice. */
	repeatedRequest?: ExchangeRequest<D>;
	/** What the caller allows. */
	limits: RepetitionLimits;
	/** The failure that the last repetition of a request did not change, in this execution. */
	lastingFailure: string | undefined;
}

/** Why a request was sent again. */
export interface AppliedRule {
	rule: RuleName;
	because: string;
}

export type RuleName = AdaptationRule | 'route' | 'runaway' | 'serverFailure' | 'correction';
