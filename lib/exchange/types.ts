/** What an exchange is made of. */
import type { ServerError } from '../errors/server-error';
import type { BodyChange } from '../servers/profile';
import type { JsonRecord } from '../values/records';
import type { Adaptation, AdaptationRule } from './adaptations';
import type { RouteTarget } from './routes';

/** `draft`: the request before a route gives it its form. */
export interface ExchangeRequest<D> {
	route: RouteTarget;
	draft: D;
	changes: readonly BodyChange[];
}

type FinalOutcome<V> =
	| { type: 'completed'; value: V }
	/** `isShown`: output of this attempt has been shown already. */
	| { type: 'failed'; error: ServerError; isShown?: boolean };

/**
 * `unusable`: the server responded, but the model has to correct its output. `withoutCorrection`: the outcome if there is
 * none.
 */
export type Outcome<D, V> =
	| FinalOutcome<V>
	| { type: 'unusable'; correctedDraft: D; withoutCorrection: FinalOutcome<V> };

export type Adaptations = Readonly<Partial<Record<AdaptationRule, readonly Adaptation[]>>>;

/** Plain data, except for the adaptations. */
export interface ExchangeState<D> {
	request: ExchangeRequest<D>;
	/** The body that was sent. */
	body: JsonRecord;
	/** Routes for the task, best first. */
	routes: readonly RouteTarget[];
	/** The URL of the API that the routes are below. */
	apiUrl: string;
	/** URLs that the server does not have. */
	missingUrls: readonly string[];
	adaptations: Adaptations;
	/** Requests sent, the current one included. */
	sent: number;
	/** Rules that were applied, with the change of each. */
	applied: readonly AppliedRule[];
	/** The first error since the server accepted a request. */
	firstError?: ServerError;
}

/** Why a request was sent again. */
export interface AppliedRule {
	rule: RuleName;
	because: string;
}

export type RuleName = AdaptationRule | 'route' | 'unreadable' | 'runaway' | 'correction';
