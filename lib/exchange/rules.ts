/** The table of reasons to send a request again. */
import type { ServerError } from '../errors/server-error';
import type { ErrorType } from '../errors/error-types';
import { mayBeRetriedOnce, isUnknownError } from '../errors/error-types';
import type { BodyChange } from '../servers/lessons';
import type { JsonRecord } from '../values/records';
import { asRecord } from '../values/records';
import type { AdaptationRule } from './find-change';
import { toOtherFormat } from './adaptations';
import { findChange } from './find-change';
import type {
	ExchangeRequest,
	AttemptOutcome,
	ExchangeState,
	AppliedRule,
	RuleName,
} from './types';

/** Requests of one exchange, without the retries of the same bytes in `lib/http`. */
export const MAX_REQUESTS = 8;

export type Step<D, V> =
	| { type: 'accept'; value: V }
	| ({ type: 'send'; request: ExchangeRequest<D> } & AppliedRule)
	| { type: 'fail'; error: ServerError };

/** A request that follows an outcome. */
interface NextRequest<D> {
	request: ExchangeRequest<D>;
	because: string;
}

interface Rule {
	name: RuleName;
	/** How often it may act in one exchange. */
	limit: number;
	/** The only error that it is about. */
	errorType?: ErrorType;
	/** Undefined if the rule does not apply. */
	toNextRequest<D>(
		state: ExchangeState<D>,
		outcome: AttemptOutcome<D, unknown>,
	): NextRequest<D> | undefined;
}

/** In this order; the request of the first rule that applies is sent. */
export const RULES: readonly Rule[] = [
	{ name: 'route', limit: 3, errorType: 'routeNotFound', toNextRequest: toOtherRoute },
	{ name: 'field', limit: 7, toNextRequest: adaptBy('field') },
	{ name: 'format', limit: 4, toNextRequest: adaptBy('format') },
	{ name: 'conversation', limit: 4, toNextRequest: adaptBy('conversation') },
	{ name: 'runaway', limit: 1, errorType: 'runawayOutput', toNextRequest: repeatAfterRunaway },
	// A generation changes nothing on the server, and the next one may succeed: whatever the server says about its failure.
	{ name: 'serverFailure', limit: 1, toNextRequest: repeatAfterServerFailure },
	{ name: 'correction', limit: 2, toNextRequest: requestCorrection },
];

/** What follows the outcome of an attempt: the value, another request, or the error. */
export function decide<D, V>(state: ExchangeState<D>, outcome: AttemptOutcome<D, V>): Step<D, V> {
	if (outcome.type === 'usable') return { type: 'accept', value: outcome.value };
	const step = state.requestCount < MAX_REQUESTS ? applyRules(state, outcome) : undefined;
	if (step) return step;
	const final = outcome.type === 'correctable' ? outcome.outcomeIfUncorrected : outcome;
	return final.type === 'usable'
		? { type: 'accept', value: final.value }
		: { type: 'fail', error: pickMoreSpecificError(state.firstError, final.error) };
}

function applyRules<D, V>(
	state: ExchangeState<D>,
	outcome: AttemptOutcome<D, V>,
): Step<D, V> | undefined {
	const isFailed = outcome.type === 'failed';
	// Shown text would appear twice.
	if (isFailed && outcome.hasShownOutput) return undefined;
	const error = isFailed ? outcome.error.type : undefined;
	for (const { name, limit, errorType = error, toNextRequest } of RULES) {
		const isUsedUp = state.appliedRules.filter(({ rule }) => rule === name).length >= limit;
		const nextRequest =
			!isUsedUp && errorType === error ? toNextRequest(state, outcome) : undefined;
		if (nextRequest) return { type: 'send', rule: name, ...nextRequest };
	}
	return undefined;
}

/** The state after a step that sends a request, whose body is not built yet. */
export function advance<D, V>(
	{ firstError, ...state }: ExchangeState<D>,
	outcome: AttemptOutcome<D, V>,
	{ request, rule, because }: Extract<Step<D, V>, { type: 'send' }>,
): ExchangeState<D> {
	const appliedRules = [...state.appliedRules, { rule, because }];
	const next = { ...state, request, requestCount: state.requestCount + 1, appliedRules };
	if (outcome.type !== 'failed') return next;
	const { error } = outcome;
	return {
		...next,
		...(rule === 'serverFailure' && { serverFailure: error }),
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

function adaptBy(rule: AdaptationRule): Rule['toNextRequest'] {
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
function withChange<D>(
	request: ExchangeRequest<D>,
	change: BodyChange,
): NextRequest<D> | undefined {
	if (request.changes.some(({ name }) => name === change.name)) return undefined;
	const changes = [...request.changes, change];
	return { request: { ...request, changes }, because: change.name };
}

function repeatAfterServerFailure<D>(
	{ request, body, isRepeatable = true, lastingFailure }: ExchangeState<D>,
	outcome: AttemptOutcome<D, unknown>,
): NextRequest<D> | undefined {
	if (!isRepeatable || outcome.type !== 'failed') return undefined;
	if (!mayBeRetriedOnce(outcome.error.type)) return undefined;
	if (outcome.hasEverShownOutput || lastingFailure === toFailureKey(outcome.error))
		return undefined;
	// The same tokens would fail in the same way. llama-server discards those that its parser cannot read.
	if (outcome.hasOutput && !isRandom(body)) return undefined;
	if (outcome.error.type === 'outputParseFailed' && !isSeedRandom(body)) return undefined;
	return { request, because: 'the server failed' };
}

/** What a failure of a server has in common with its repetition. */
export function toFailureKey({ type, status = 0 }: ServerError): string {
	return `${type} ${status}`;
}

function repeatAfterRunaway<D>({ request, body }: ExchangeState<D>): NextRequest<D> | undefined {
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

function requestCorrection<D>({ request }: ExchangeState<D>, outcome: AttemptOutcome<D, unknown>) {
	if (outcome.type !== 'correctable') return undefined;
	return {
		request: { ...request, draft: outcome.correctedDraft },
		because: 'a correction was requested',
	};
}
