/** The table of reasons to send a request again. */
import type { ServerError } from '../errors/server-error';
import type { ErrorType } from '../errors/error-types';
import { isRetriedOnce, isUnknownError } from '../errors/error-types';
import type { BodyChange } from '../servers/lessons';
import type { JsonRecord } from '../values/records';
import { asRecord } from '../values/records';
import type { AdaptationRule } from './find-change';
import { toOtherFormat } from './adaptations';
import { findChange } from './find-change';
import type { ExchangeRequest, Outcome, ExchangeState, AppliedRule, RuleName } from './types';

/** Requests of one exchange, without the retries of the same bytes in `lib/http`. */
export const MAX_REQUESTS = 8;

export type Step<D, V> =
	| { type: 'accept'; value: V }
	| ({ type: 'send'; request: ExchangeRequest<D> } & AppliedRule)
	| { type: 'fail'; error: ServerError };

interface Change<D> {
	request: ExchangeRequest<D>;
	because: string;
}

interface Rule {
	name: RuleName;
	/** How often it may act in one exchange. */
	limit: number;
	/** The only error that it is about. */
	errorType?: ErrorType;
	/** The changed request; undefined if there is nothing to change. */
	change<D>(state: ExchangeState<D>, outcome: Outcome<D, unknown>): Change<D> | undefined;
}

/** In this order; the first change is sent. */
export const RULES: readonly Rule[] = [
	{ name: 'route', limit: 3, errorType: 'routeNotFound', change: toOtherRoute },
	{ name: 'field', limit: 7, change: adaptBy('field') },
	{ name: 'format', limit: 4, change: adaptBy('format') },
	{ name: 'conversation', limit: 4, change: adaptBy('conversation') },
	{ name: 'runaway', limit: 1, errorType: 'runawayOutput', change: changeRunaway },
	// A generation changes nothing on the server, and the next one may succeed: whatever the server says about its failure.
	{ name: 'serverFailure', limit: 1, change: repeatAfterServerFailure },
	{ name: 'correction', limit: 2, change: correct },
];

/** What follows the outcome of an attempt: the value, another request, or the error. */
export function decide<D, V>(state: ExchangeState<D>, outcome: Outcome<D, V>): Step<D, V> {
	if (outcome.type === 'completed') return { type: 'accept', value: outcome.value };
	const step = state.sent < MAX_REQUESTS ? applyRules(state, outcome) : undefined;
	if (step) return step;
	const final = outcome.type === 'unusable' ? outcome.withoutCorrection : outcome;
	return final.type === 'completed'
		? { type: 'accept', value: final.value }
		: { type: 'fail', error: pickMoreSpecificError(state.firstError, final.error) };
}

function applyRules<D, V>(state: ExchangeState<D>, outcome: Outcome<D, V>): Step<D, V> | undefined {
	const isFailed = outcome.type === 'failed';
	// Shown text would appear twice.
	if (isFailed && outcome.isShown) return undefined;
	const error = isFailed ? outcome.error.type : undefined;
	for (const { name, limit, errorType = error, change } of RULES) {
		const isUsedUp = state.applied.filter(({ rule }) => rule === name).length >= limit;
		const changed = !isUsedUp && errorType === error ? change(state, outcome) : undefined;
		if (changed) return { type: 'send', rule: name, ...changed };
	}
	return undefined;
}

/** The state after a step that sends a request, whose body is not built yet. */
export function advance<D, V>(
	{ firstError, ...state }: ExchangeState<D>,
	outcome: Outcome<D, V>,
	{ request, rule, because }: Extract<Step<D, V>, { type: 'send' }>,
): ExchangeState<D> {
	const applied = [...state.applied, { rule, because }];
	const next = { ...state, request, sent: state.sent + 1, applied };
	if (outcome.type !== 'failed') return next;
	const { error } = outcome;
	return {
		...next,
		...(rule === 'serverFailure' && { failure: error }),
		firstError: pickMoreSpecificError(firstError, error),
	};
}

/**
 * The first error names the cause, unless it is a missing route, the server accepted a changed request since, or what it
 * rejected was changed and it now names another cause: without a field, LiteLLM asks for the model, which is missing.
 */
function pickMoreSpecificError(firstError: ServerError | undefined, error: ServerError) {
	const isErrorResponse = (error.status ?? 0) >= 400;
	if (!firstError || firstError.type === 'routeNotFound' || !isErrorResponse) return error;
	return isUnknownError(firstError.type) && !isUnknownError(error.type) ? error : firstError;
}

function toOtherRoute<D>({ request, routes, missingUrls }: ExchangeState<D>) {
	const route = routes.find(({ url }) => !missingUrls.includes(url));
	const because = `the server has no route ${request.route.name}`;
	return route && { request: { ...request, route }, because };
}

function adaptBy(rule: AdaptationRule): Rule['change'] {
	return ({ request, body, adaptations }, outcome) => {
		if (outcome.type !== 'failed') return undefined;
		const change = findChange({
			error: outcome.error,
			body,
			adaptations: adaptations[rule] ?? [],
			rule,
		});
		return change && withChange(request, change);
	};
}

/** Each change is tried once. */
function withChange<D>(request: ExchangeRequest<D>, change: BodyChange): Change<D> | undefined {
	if (request.changes.some(({ name }) => name === change.name)) return undefined;
	const changes = [...request.changes, change];
	return { request: { ...request, changes }, because: change.name };
}

function repeatAfterServerFailure<D>(
	{ request, body, isRepeatable = true, lastingFailure }: ExchangeState<D>,
	outcome: Outcome<D, unknown>,
): Change<D> | undefined {
	if (!isRepeatable || outcome.type !== 'failed') return undefined;
	if (!isRetriedOnce(outcome.error.type)) return undefined;
	if (outcome.hasShownOutput || lastingFailure === toFailureKey(outcome.error)) return undefined;
	// The same tokens would fail in the same way. llama-server discards those that its parser cannot read.
	if (outcome.hasOutput && !isRandom(body)) return undefined;
	if (outcome.error.type === 'outputParseFailed' && !isSeedRandom(body)) return undefined;
	return { request, because: 'the server failed' };
}

/** What a failure of a server has in common with its repetition. */
export function toFailureKey({ type, status = 0 }: ServerError): string {
	return `${type} ${status}`;
}

function changeRunaway<D>({ request, body }: ExchangeState<D>): Change<D> | undefined {
	const otherFormat = toOtherFormat(body);
	if (otherFormat) return withChange(request, otherFormat);
	return isRandom(body) ? { request, because: 'the output ran away' } : undefined;
}

/** Whether the model writes other tokens if the same body is sent again. */
function isRandom(body: JsonRecord) {
	const { temperature = asRecord(body.options).temperature } = body;
	return isSeedRandom(body) && temperature !== 0;
}

function isSeedRandom({ seed, options }: JsonRecord) {
	return (seed ?? asRecord(options).seed ?? -1) === -1;
}

function correct<D>({ request }: ExchangeState<D>, outcome: Outcome<D, unknown>) {
	if (outcome.type !== 'unusable') return undefined;
	return {
		request: { ...request, draft: outcome.correctedDraft },
		because: 'a correction was requested',
	};
}
