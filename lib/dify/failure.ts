import type { Connection } from '../http/connection';
import type { CallAnswer, EventStream } from '../http/types';
import { ServerError, type FailureKind } from '../errors/server-error';
import { DIFY_REMEDIES, type DifyFailureKind } from './codes';
import { retryAfterMs } from './retry-after';
import { describeDifyFailure, describeRunError, type DifyFailure } from './errors';
import type { RunResult } from './types';

/** What a kind means to code that knows nothing of Dify. Whatever is not listed is a request that was refused. */
const GENERAL: Partial<Record<DifyFailureKind, FailureKind>> = {
	unauthorized: 'unauthorized',
	forbidden: 'forbidden',
	appDisabled: 'forbidden',
	appUnusable: 'forbidden',
	planLimit: 'forbidden',
	routeNotFound: 'wrongPath',
	webFrontend: 'notAnApi',
	redirect: 'redirect',
	gateway: 'gateway',
	serverError: 'serverError',
	fileTooLarge: 'tooLarge',
	runFailed: 'streamError',
	streamEndedEarly: 'streamEndedEarly',
	emptyAnswer: 'emptyAnswer',
	cancelled: 'aborted',
	timeout: 'totalLimit',
	queued: 'totalLimit',
};

/** Ids by which a run can be found again in Dify. */
export interface RunIds {
	conversationId?: string;
	messageId?: string;
	taskId?: string;
	workflowRunId?: string;
}

interface Details {
	url?: string;
	/** What a failed run had given until then. */
	result?: RunResult;
	/** Whether Dify was asked to stop the run, where the client gave up first. */
	stopRequested?: boolean;
	/** Of the answer. Dify names its version in every one (contract 1.1). */
	headers?: Record<string, string>;
}

/** A failure that Dify, or something in front of it, answered with. Its remedy comes from the table in `codes.ts`. */
export class DifyError extends ServerError {
	readonly difyKind: DifyFailureKind;
	/** Dify's own code, where the answer had one. */
	readonly code: string | undefined;
	/** The same request may be sent again: nothing was started. */
	readonly retryable: boolean;
	readonly result: RunResult | undefined;

	constructor(failure: DifyFailure, { url, result, stopRequested, headers }: Details = {}) {
		const { code, status, kind, message, remedy, retryable } = failure;
		const ids = result === undefined ? {} : idsOf(result);
		super({
			kind: GENERAL[kind] ?? 'badRequest',
			message,
			remedy,
			url,
			status,
			partialText: result?.text || undefined,
			partialReasoning: result?.reasoning || undefined,
			facts: {
				difyKind: kind,
				code,
				retryable,
				difyVersion: headers?.['x-version'],
				retryAfterMs: retryAfterMs(headers?.['retry-after']),
				...ids,
				...(stopRequested === undefined ? {} : { stopRequested }),
			},
		});
		this.name = 'DifyError';
		this.difyKind = kind;
		this.code = code;
		this.retryable = retryable;
		this.result = result;
	}
}

export function idsOf({ conversationId, messageId, taskId, workflowRunId }: RunIds): RunIds {
	return { conversationId, messageId, taskId, workflowRunId };
}

/** A worker that took nothing up names nothing. Where a message has its ID, Dify has stored it. */
export function hasBegun(result: RunResult | undefined): boolean {
	return result !== undefined && (result.text !== '' || Object.values(idsOf(result)).some((id) => id !== undefined));
}

/** The error for an answer that is not what was asked for. */
export function answerError(connection: Connection, answer: CallAnswer, method: string): DifyError {
	const described = describeDifyFailure({
		status: answer.status,
		body: answer.text,
		contentType: answer.headers['content-type'],
		url: answer.url,
		method,
	});
	const target = redirectedTo(connection, answer);
	if (target === undefined)
		return new DifyError(
			{ ...described, message: connection.mask(described.message), remedy: countedTwice(described, answer) },
			{ url: answer.url, headers: answer.headers },
		);
	const message = connection.mask(`The server redirects to ${target.replace(/[?#].*$/s, '')}`);
	return new DifyError(
		{ status: answer.status, kind: 'redirect', message, remedy: DIFY_REMEDIES.redirect, retryable: false },
		{ url: target === answer.url ? undefined : answer.url },
	);
}

/** With a limit of 1, Dify 1.14 refuses every streamed chatflow, also the first one (contract dify-breadth 24.2). */
function countedTwice({ kind, message, remedy }: DifyFailure, { headers }: CallAnswer): string {
	const isOne = kind === 'tooManyRequests' && /\bis 1\.?$/.test(message);
	if (!isOne || /^(?:0\.|1\.\d\b|1\.1[0-2]\b)/.test(headers['x-version'] ?? '')) return remedy;
	return `${remedy} This version of Dify counts a streamed chatflow or workflow twice: with a limit of 1 none of them ever runs, so allow two for each run at once.`;
}

/** A redirect that was not followed; or one that was, to another address, to which the key is not sent: the 401 there says nothing about it. */
function redirectedTo(connection: Connection, { status, headers, url }: CallAnswer): string | undefined {
	if (status >= 300 && status < 400) return headers.location;
	return status === 401 && !connection.isOwn(url) ? url : undefined;
}

/** The error of a run that began, with all that had arrived. */
export function runError(
	connection: Connection,
	result: RunResult,
	{ url, headers }: Pick<EventStream, 'url' | 'headers'>,
	stopRequested?: boolean,
): DifyError {
	const described = describeRunError(result.error ?? { cause: 'notFinished', message: 'The run did not finish' }, url);
	return new DifyError(
		{ ...described, message: connection.mask(described.message) },
		{ url, headers, result, stopRequested },
	);
}

/** Something that was found wrong before anything was sent. */
export function refusedHere(kind: DifyFailureKind, message: string, remedy: string = DIFY_REMEDIES[kind]): DifyError {
	return new DifyError({ status: 0, kind, message, remedy, retryable: false });
}
