/** When a request fails over to the next server, and what is reported about those that failed. */
import { describe } from '../../errors/description';
import { failure } from '../../errors/failure';
import type { FailureKind } from '../../errors/kinds';
import type { ServerError } from '../../errors/server-error';
import { isTransient } from '../retry';

/** A server that failed, or is cooling down. */
export interface Skipped {
	/** Its address. */
	url: string;
	/** The title of its failure. */
	why: string;
	/** Whether it was asked now; otherwise it is cooling down. */
	wasAsked: boolean;
}

/**
 * The server has no work left: no connection, a refusal, or silence until the connection was closed, which ends the
 * work (llama-server frees the slot within 2 s).
 */
const NOT_BEGUN: ReadonlySet<FailureKind> = new Set([
	'refused',
	'unreachable',
	'connectTimeout',
	'dns',
	'tlsMismatch',
	'tlsUntrusted',
	'loading',
	'busy',
	'budgetSpent',
	'firstTokenLimit',
]);
/** The server lacks the model, or cannot do this with it: every such request would fail. */
const LACKING: ReadonlySet<FailureKind> = new Set([
	'gatewayKey',
	'modelNotFound',
	'modelFailedToLoad',
	'wrongModelType',
	'notSupported',
	'wrongPath',
]);
/** A proxy, or Cloudflare, did not reach the server. With 504 or 524 the server may still be working. */
const NOT_HANDED_ON: ReadonlySet<number | undefined> = new Set([
	502, 503, 521, 522, 523, 525, 526, 530,
]);

/**
 * Whether the next server may be asked, after a failure before the first byte of an answer.
 *
 * @param idempotent whether the request may be sent again even if the server has worked on it
 */
export function canFailOver(failed: ServerError, idempotent = false): boolean {
	return (
		NOT_BEGUN.has(failed.kind) ||
		lacksModel(failed) ||
		(failed.kind === 'gateway' && NOT_HANDED_ON.has(failed.status)) ||
		(idempotent && isTransient(failed))
	);
}

/** Whether the server itself may be healthy, but cannot serve this model or this use of it. */
export function lacksModel({ kind }: ServerError): boolean {
	return LACKING.has(kind);
}

/** The failure from which a server will probably recover first. */
export function mostRecoverable<Key>(failures: ReadonlyMap<Key, ServerError>): [Key, ServerError] {
	const all = [...failures];
	const ofKind = (kind: FailureKind) => all.find(([, failed]) => failed.kind === kind);
	return ofKind('loading') ?? ofKind('busy') ?? ofKind('refused') ?? all[0]!;
}

/** One error for all servers, each with its own diagnosis. */
export function allFailed(failures: readonly ServerError[]): ServerError {
	const message = `None of the ${failures.length} servers of the credential could take the request`;
	return failure(
		'allServersFailed',
		{},
		{
			message,
			remedy: failures.map((failed, index) => `\n${index + 1}. ${describe(failed)}`).join(''),
			retryable: failures.every(({ retryable }) => retryable),
			facts: { servers: failures.map(plain) },
		},
	);
}

/** The failure of one server, with the failures of the servers before it in its facts. */
export function withOthers(failed: ServerError, before: readonly ServerError[]): ServerError {
	return before.length === 0 ? failed : failed.withFacts({ otherServers: before.map(plain) });
}

function plain({ url, kind, status, message, remedy }: ServerError) {
	return { url, kind, httpStatus: status, error: message, remedy };
}

/** The note for the user when another server answered after a failure; empty if none failed now. */
export function failoverNotes(passedOver: readonly Skipped[], answered: string): string[] {
	const failed = passedOver.filter(({ wasAsked }) => wasAsked);
	if (failed.length === 0) return [];
	const list = failed.map(({ url, why }) => `${url} (${why})`).join(', ');
	const these = failed.length === 1 ? 'this server' : 'these servers';
	return [`${answered} answered, because ${these} did not take the request: ${list}.`];
}
