/** What users learn about a server that failed, and got the same request once more. */
import type { ErrorType } from '../errors/error-types';
import { isClosedConnection } from '../errors/error-types';
import type { ServerError } from '../errors/server-error';
import { toPlainText } from '../values/safe-text';
import { truncate } from '../values/text';

/** Characters of the server message in a warning. */
const MAX_QUOTED_TEXT = 200;

/** Milliseconds. A connection that is closed sooner is closed at once, as people see it. */
const MIN_TOLD_MS = 5_000;

/**
 * A closed connection with the time that it was open: that of a proxy's limit tells it from a crash.
 *
 * @param elapsedMs - From sending the request to its failure.
 */
export function withOpenTime(error: ServerError, elapsedMs: number): ServerError {
	const isClosed = error.report === undefined && isClosedConnection(error.type);
	if (!isClosed || elapsedMs < MIN_TOLD_MS) return error;
	return error.withFacts({ openMs: elapsedMs });
}

/** The same for each request, so that many items have one hint; the log says how often. */
export const BUSY_WARNING = 'The server was busy, so requests were sent again after a pause.';

/** What a failure has in common with its repetition: what the server wrote may differ. */
export function toFailureKey({ type, report }: ServerError): string {
	if (report === undefined) return type;
	return report.isInside === true ? 'error in a response' : `status ${report.status}`;
}

/** What happened, as a part of a sentence. */
export function describeFailure({ type, report }: ServerError): string {
	if (report === undefined) return FAILURES[type] ?? 'the server failed';
	return report.isInside === true
		? 'the response contained an error'
		: `the server failed with status ${report.status}`;
}

const FAILURES: Readonly<Partial<Record<ErrorType, string>>> = {
	closedBeforeResponse: 'the connection was closed before a response',
	connectionLost: 'the connection was lost',
	streamEndedEarly: 'the response ended early',
	streamBroken: 'the response broke off',
	emptyResponse: 'the response was empty',
	onlyThinking: 'the response was only thinking',
	outputParseFailed: 'the output could not be read',
	invalidResponse: 'the response could not be read',
	notHttp: 'the response was not valid HTTP',
	notAnApi: 'a web page came instead of a response',
	wrongServer: 'a text came instead of a response',
};

/**
 * The warning about a response that arrived only at the second try.
 *
 * @param failure - The error of the first try.
 */
export function describeOvercomeFailure(failure: ServerError): string {
	const { serverText = '' } = failure;
	const text = truncate(toPlainText(serverText).replace(/\s+/g, ' ').trim(), MAX_QUOTED_TEXT);
	const quotation = text === '' ? '' : ` ("${text}")`;
	return `The request was sent twice: ${describeFailure(failure)}${quotation}.`;
}
