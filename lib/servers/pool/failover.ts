/** When a request goes on to the next server, and what is said of those that did not answer. */
import { describe } from '../../errors/description';
import { failure } from '../../errors/failure';
import type { FailureKind } from '../../errors/kinds';
import type { ServerError } from '../../errors/server-error';
import { isTransient } from '../retry';

/** A server that failed, or that rests because it failed a little while ago. */
export interface Skipped {
	/** Its address. */
	url: string;
	/** What it failed with, as a short title. */
	why: string;
	/** It was asked just now; otherwise it rests and was not asked. */
	wasAsked: boolean;
}

/**
 * Nothing was begun in any of these cases: no connection, a refusal that has its end in itself, or a server that was
 * silent until the connection to it was closed, which ends its work (llama-server frees the slot within 2 s).
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
	'firstTokenLimit',
]);
/** The server lacks the model, or cannot do this with it: it says the same to each request of this kind. */
const LACKING: ReadonlySet<FailureKind> = new Set([
	'modelNotFound',
	'modelFailedToLoad',
	'wrongModelType',
	'notSupported',
	'wrongPath',
]);
/** Of a proxy, or of Cloudflare, that has no server to hand the request to. Behind a 504 or 524 one may be at work. */
const NOT_HANDED_ON: ReadonlySet<number | undefined> = new Set([502, 503, 521, 522, 523, 525, 526, 530]);

/**
 * Whether the next server may be asked. Only for failures before the first byte of an answer.
 *
 * @param idempotent the request changes nothing, so it may be sent again whatever became of it
 */
export function canFailOver(failed: ServerError, idempotent = false): boolean {
	return (
		NOT_BEGUN.has(failed.kind) ||
		isLacking(failed) ||
		(failed.kind === 'gateway' && NOT_HANDED_ON.has(failed.status)) ||
		(idempotent && isTransient(failed))
	);
}

/** Whether the server may be well, but not for this model, or not for this use of it. */
export function isLacking({ kind }: ServerError): boolean {
	return LACKING.has(kind);
}

/** Of several failures that from which a server recovers soonest. */
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

/** The failure of one server, with what the servers before it failed with. */
export function withOthers(failed: ServerError, before: readonly ServerError[]): ServerError {
	return before.length === 0 ? failed : failed.withFacts({ otherServers: before.map(plain) });
}

function plain({ url, kind, status, message, remedy }: ServerError) {
	return { url, kind, httpStatus: status, error: message, remedy };
}

/** For the user, where a server failed and another one answered. */
export function failoverNotes(passedOver: readonly Skipped[], answered: string): string[] {
	const failed = passedOver.filter(({ wasAsked }) => wasAsked);
	if (failed.length === 0) return [];
	const list = failed.map(({ url, why }) => `${url} (${why})`).join(', ');
	const these = failed.length === 1 ? 'this server' : 'these servers';
	return [`${answered} answered, because ${these} did not take the request: ${list}.`];
}
