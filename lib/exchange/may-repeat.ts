/**
 * Whether the same request is sent once more. Facts decide. Of what a server writes about its failure, only its codes count, the
 * names of fields that were sent, and that it could not read what the model wrote (`outputParseFailed`, which words may tell).
 */
import type { ErrorType } from '../errors/error-types';
import { isClosedConnection, isOneOf } from '../errors/error-types';
import type { ErrorReport } from '../errors/server-error';
import { isBusyStatus, MAX_REFUSAL_MS } from '../http/busy';

/** What is known of a request that failed. */
export interface FailedRequest {
	/** How the server reported the failure; undefined for what the node found out itself, which the type names. */
	report: ErrorReport | undefined;
	type: ErrorType;
	/** Milliseconds from sending the request to its failure. */
	elapsedMs: number;
	/** Whether the response begins like JSON, and cannot be read as such. */
	isBrokenJson: boolean;
	/** Whether the server stopped at the token limit. */
	isCutOff: boolean;
	/** Whether a user has seen output of this turn. */
	hasShownOutput: boolean;
	/**
	 * Whether the model would write the same again: it wrote something, and its seed or temperature is fixed, or the server could not
	 * read what it wrote with a fixed seed.
	 */
	isDeterministic: boolean;
	/** Whether a repetition failed in this way before, in this exchange or another one of the execution. */
	hasFailedAlike: boolean;
	/** Whether the request contained files. */
	hasFiles: boolean;
	/** Whether the response names a field that was sent. */
	namesSentField: boolean;
}

/** What the caller allows. */
export interface RepetitionLimits {
	/** The setting *Retries*. */
	retries: number;
	/** False where the parts of a request are sent anew, as those of a batch. */
	isRepeatable: boolean;
	/** Milliseconds after which a failure is too expensive to be repeated. Default: none. */
	maxElapsedMs?: number;
}

/** Milliseconds. A proxy may close a connection although the server behind it goes on generating. */
const MAX_CLOSED_MS = 60_000;

/** Whether the same request is sent once more: the node asks once, and remembers a repetition that failed alike. */
export function mayRepeat(
	failed: FailedRequest,
	{ retries, isRepeatable, maxElapsedMs = Infinity }: RepetitionLimits,
): boolean {
	// With Retries 0, a fallback model must come at once.
	if (retries === 0) return false;
	// The halves of a batch are sent instead.
	if (!isRepeatable) return false;
	// Shown text would appear twice.
	if (failed.hasShownOutput) return false;
	// A broken server is not asked twice for each of many items.
	if (failed.hasFailedAlike) return false;
	// A picture, speech or an upload that took long takes as long again.
	if (failed.elapsedMs >= maxElapsedMs) return false;
	// The same tokens would fail in the same way.
	if (failed.isDeterministic) return false;
	return failed.report === undefined
		? mayRepeatFound(failed)
		: mayRepeatReported(failed.report, failed);
}

const isUseless = isOneOf(
	'emptyResponse',
	'onlyThinking',
	'outputParseFailed',
	'streamBroken',
	'streamError',
);

/** Another program responded than a model server. */
const isOfOtherProgram = isOneOf('notAnApi', 'notHttp', 'wrongServer');

/** For a failure that the node found out itself. */
function mayRepeatFound(failed: FailedRequest): boolean {
	const { type, elapsedMs, isCutOff, isBrokenJson } = failed;
	// The next response would reach the token limit, too.
	if (isCutOff) return false;
	// The process that generated is gone, or its connection.
	if (isClosedConnection(type)) return elapsedMs < MAX_CLOSED_MS;
	// A response without output, or one that breaks, is one of many that the model could have written.
	if (isUseless(type)) return true;
	// The server, or a proxy, cut the response.
	if (isBrokenJson) return true;
	// A gateway shows its page while the server behind it restarts.
	if (isOfOtherProgram(type)) return isCheap(failed);
	// Stop, a timeout of the user, a refused connection, what cannot be read, and what has a rule of its own.
	return false;
}

/** The server may still generate: of HTTP, of gateways, and of Cloudflare. */
const TIME_LIMIT_STATUSES: readonly number[] = [408, 504, 524];

/** Key, payment, permission, size, and a body that a validator refused. */
const FINAL_STATUSES: readonly number[] = [401, 402, 403, 413, 422];

/** Servers also send these if a model was unloaded or has crashed (LM Studio 400 and 404, TEI 424). */
const AMBIGUOUS_STATUSES: readonly number[] = [400, 404, 424];

/** For an error response, or an error inside of a response. */
function mayRepeatReported(
	{ status, isInside, innerStatus = status, isOfContext }: ErrorReport,
	failed: FailedRequest,
): boolean {
	const { type, elapsedMs, namesSentField } = failed;
	// `lib/http` has waited for a busy server, or the caller does not wait.
	if (status !== 429 && isBusyStatus(status) && elapsedMs < MAX_REFUSAL_MS) return false;
	// The prompt is as long as before.
	if (isOfContext === true) return false;
	// The server may still generate.
	if (TIME_LIMIT_STATUSES.includes(innerStatus)) return false;
	// The same request gets the same answer.
	if (FINAL_STATUSES.includes(innerStatus)) return false;
	// The server accepted the request, and failed while it generated.
	if (isInside === true) return status < 300 || !namesSentField;
	// The server has no such feature (RFC 9110 15.6.2).
	if (status === 501) return false;
	// The server failed.
	if (status >= 500) return true;
	// What the request contains is refused again.
	if (!AMBIGUOUS_STATUSES.includes(status) || namesSentField) return false;
	// The model was not there, or has written what the server could not read.
	return type === 'outputParseFailed' || isCheap(failed);
}

/** Whether a repetition costs little, also where the first response was right. */
function isCheap({ elapsedMs, hasFiles }: FailedRequest): boolean {
	return elapsedMs < MAX_REFUSAL_MS && !hasFiles;
}
