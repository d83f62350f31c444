/** The table of reasons to send a request again. */
import { isMissingStatus } from '../errors/missing-route';
import type { ServerError } from '../errors/server-error';
import type { ErrorType } from '../errors/error-types';
import { isConnectionError, isOneOf, isUnknownError } from '../errors/error-types';
import { MAX_REQUESTS } from '../http/retry-policy';
import type { RequestChange } from '../servers/lessons';
import type { JsonRecord } from '../values/records';
import { asRecord } from '../values/records';
import type { AdaptationRule } from './find-changes';
import { toOtherFormat } from './adaptations';
import { findChanges } from './find-changes';
import type { FailedRequest } from './may-repeat';
import { mayRepeat } from './may-repeat';
import { namesSentField } from './named-fields';
import { describeFailure, toFailureKey } from './server-failure';
import type {
	ExchangeRequest,
	AttemptOutcome,
	ExchangeState,
	FailedOutcome,
	AppliedRule,
	RuleName,
} from './types';

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
	{ name: 'route', limit: 3, toNextRequest: toOtherRoute },
	{ name: 'field', limit: 7, toNextRequest: adaptBy('field') },
	{ name: 'format', limit: 4, toNextRequest: adaptBy('format') },
	{ name: 'conversation', limit: 4, toNextRequest: adaptBy('conversation') },
	{ name: 'runaway', limit: 1, errorType: 'runawayOutput', toNextRequest: repeatAfterRunaway },
	// A generation changes nothing on the server, and the next one may succeed.
	{ name: 'serverFailure', limit: 1, toNextRequest: repeatAfterServerFailure },
	// After the repetition: a failure by chance is no reason to change the history.
	{ name: 'strictForm', limit: 4, toNextRequest: adaptBy('strictForm') },
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
		: { type: 'fail', error: pickError(state, final.error) };
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
	state: ExchangeState<D>,
	outcome: AttemptOutcome<D, V>,
	{ request, rule, because }: Extract<Step<D, V>, { type: 'send' }>,
): ExchangeState<D> {
	const appliedRules = [...state.appliedRules, { rule, because }];
	const next = { ...state, request, requestCount: state.requestCount + 1, appliedRules };
	if (outcome.type !== 'failed') return next;
	const { error } = outcome;
	return {
		...next,
		...(rule === 'serverFailure' && { serverFailure: error, repeatedRequest: request }),
		firstError: pickError(state, error),
	};
}

/**
 * The first error names the cause, unless it is a missing route, the server accepted a changed request since, or what it
 * rejected was changed and it now names another cause: without a field, LiteLLM asks for the model, which is missing.
 */
function pickError<D>({ firstError, appliedRules }: ExchangeState<D>, error: ServerError) {
	if (!firstError || firstError.type === 'routeNotFound') return error;
	const isRepetition = appliedRules.at(-1)?.rule === 'serverFailure';
	// A server that crashed, and is gone at the second try, is not one that cannot be reached.
	if (isRepetition || isConnectionError(error.type)) return firstError;
	if ((error.report?.status ?? error.status ?? 0) < 400) return error;
	return isUnknownError(firstError.type) && !isUnknownError(error.type) ? error : firstError;
}

function toOtherRoute<D>(
	{ request, routes, missingUrls }: ExchangeState<D>,
	outcome: AttemptOutcome<D, unknown>,
): NextRequest<D> | undefined {
	if (!isRouteMissing(outcome)) return undefined;
	const route = routes.find(({ url }) => !missingUrls.includes(url));
	const because = `the server has no route ${request.route.name}`;
	return route && { request: { ...request, route }, because };
}

/** Whether the server may lack the route, or allow no POST there. */
export function isRouteMissing(outcome: AttemptOutcome<unknown, unknown>): boolean {
	return outcome.type === 'failed' && isMissingStatus(outcome.error.report?.status);
}

function adaptBy(rule: AdaptationRule): Rule['toNextRequest'] {
	return (state, outcome) => {
		if (outcome.type !== 'failed') return undefined;
		const { request, body, textsOfOthers, adaptations, appliedRules, lastingFailure } = state;
		const isRepeated = appliedRules.some((applied) => applied.rule === 'serverFailure');
		// A broken server gets no changed requests for each of many items, whatever it writes.
		if (!isRepeated && isLastingFailure(outcome.error, lastingFailure)) return undefined;
		const changes = findChanges({
			error: outcome.error,
			body,
			textsOfOthers,
			isRepeated,
			adaptations: adaptations[rule] ?? [],
			rule,
			tried: request.changes,
		});
		if (changes.length === 0) return undefined;
		const keptFor = rule === 'strictForm' ? getFormDuration(state, outcome) : 'execution';
		return withChanges(
			request,
			changes.map((change) => ({ ...change, keptFor })),
		);
	};
}

/**
 * How long a form of the history is kept: for all if the same bytes failed twice alike, or it goes beyond such a form. A refusal
 * that was not repeated, as with Retries 0 or with files, may have come by chance, so it is kept for the execution only.
 */
function getFormDuration<D>(
	{ request, repeatedRequest, serverFailure, appliedRules }: ExchangeState<D>,
	{ error }: FailedOutcome,
): RequestChange['keptFor'] {
	const hasFailedAlike =
		request === repeatedRequest && toFailureKey(serverFailure!) === toFailureKey(error);
	const isBeyondProven =
		appliedRules.at(-1)?.rule === 'strictForm' && request.changes.at(-1)?.keptFor === 'server';
	return hasFailedAlike || isBeyondProven ? 'server' : 'execution';
}

/** Whether the server fails as it did at the last repetition of a request. A rejection is no failure. */
function isLastingFailure(error: ServerError, lastingFailure: string | undefined): boolean {
	return (error.report?.status ?? 0) >= 500 && toFailureKey(error) === lastingFailure;
}

/** The request with more changes of its body. */
export function withChanges<D>(
	request: ExchangeRequest<D>,
	added: readonly RequestChange[],
): NextRequest<D> {
	const changes = [...request.changes, ...added];
	return { request: { ...request, changes }, because: added.map(({ name }) => name).join(', ') };
}

function repeatAfterServerFailure<D>(
	{ request, body, textsOfOthers, limits, lastingFailure }: ExchangeState<D>,
	outcome: AttemptOutcome<D, unknown>,
): NextRequest<D> | undefined {
	if (outcome.type !== 'failed') return undefined;
	const { error, elapsedMs = 0, hasOutput, hasEverShownOutput = false, hasFiles = false } = outcome;
	const { type, report, facts } = error;
	const failed: FailedRequest = {
		type,
		report,
		elapsedMs,
		isBrokenJson: error.isBrokenJson === true,
		isCutOff: facts.finishReason === 'length',
		hasShownOutput: hasEverShownOutput,
		// llama-server discards the tokens that its parser cannot read.
		isDeterministic:
			isOfTokens(type) &&
			(hasOutput === true ? !isRandom(body) : isUnreadable(type) && !isSeedRandom(body)),
		hasFailedAlike: lastingFailure === toFailureKey(error),
		hasFiles,
		namesSentField: namesSentField(error, { body, textsOfOthers }),
	};
	return mayRepeat(failed, limits) ? { request, because: describeFailure(error) } : undefined;
}

function repeatAfterRunaway<D>({
	request,
	body,
	limits,
}: ExchangeState<D>): NextRequest<D> | undefined {
	const otherFormat = toOtherFormat(body);
	if (otherFormat) return withChanges(request, [{ ...otherFormat, keptFor: 'exchange' }]);
	const canRepeat = limits.retries > 0 && isRandom(body);
	return canRepeat ? { request, because: 'the output ran away' } : undefined;
}

/** Failures that the tokens of the model cause, unlike a process that died or a lost connection: the same ones fail alike. */
const isOfTokens = isOneOf('emptyResponse', 'onlyThinking', 'outputParseFailed');

const isUnreadable = isOneOf('outputParseFailed');

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
