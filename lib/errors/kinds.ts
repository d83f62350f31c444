/**
 * What went wrong, in the words of this package: one list for all servers, which items, Server Health and the code
 * share. What each kind means and what to do about it is in `remedies/`, by domain.
 */

/** The address and the way to it, limits, and whatever answers there without being the server. */
export type NetworkKind =
	| 'invalidUrl'
	| 'dns'
	| 'refused'
	| 'connectTimeout'
	| 'unreachable'
	| 'tlsMismatch'
	| 'tlsUntrusted'
	| 'notHttp'
	| 'closedBeforeAnswer'
	| 'connectionLost'
	| 'blockedByPolicy'
	// Something in between
	| 'proxy'
	| 'proxyPassword'
	| 'proxyRefuses'
	| 'gateway'
	| 'redirect'
	| 'notAnApi'
	| 'wrongServer'
	// Limits and cancelling
	| 'firstTokenLimit'
	| 'idleLimit'
	| 'totalLimit'
	| 'aborted'
	// Before anything was sent
	| 'invalidInput';

/** What model servers refuse, and answers that are none. */
export type ModelKind =
	| 'unauthorized'
	| 'forbidden'
	| 'wrongPath'
	| 'modelNotFound'
	| 'contextOverflow'
	| 'contextExceeded'
	| 'badRequest'
	| 'templateRejected'
	| 'grammarRejected'
	| 'toolsUnsupported'
	| 'modalityUnsupported'
	| 'brokenHistory'
	| 'tooLarge'
	| 'busy'
	| 'loading'
	| 'modelFailedToLoad'
	| 'notSupported'
	| 'wrongModelType'
	| 'serverError'
	| 'invalidAnswer'
	| 'outputUnreadable'
	| 'streamError'
	| 'streamEndedEarly'
	| 'toolCallCut'
	| 'toolCallInvalid'
	| 'onlyThinking'
	| 'emptyAnswer'
	| 'garbledAnswer'
	| 'filtered'
	| 'allServersFailed';

/**
 * What Dify refuses or fails in. A name that the lists above have too means the same; Dify has words of its own for it.
 */
export type DifyKind =
	| 'unauthorized'
	| 'forbidden'
	| 'gateway'
	| 'redirect'
	| 'wrongServer'
	| 'serverError'
	| 'streamEndedEarly'
	| 'emptyAnswer'
	| 'appDisabled'
	| 'appUnusable'
	| 'appUnavailable'
	| 'notPublished'
	| 'wrongAppType'
	| 'streamingRequired'
	| 'conversationEnded'
	| 'conversationNotFound'
	| 'messageNotFound'
	| 'workflowVersion'
	| 'runNotFound'
	| 'fileNotFound'
	| 'notFound'
	| 'missingUser'
	| 'emptyQuery'
	| 'inputs'
	| 'invalidId'
	| 'invalidParam'
	| 'nothingToRevoke'
	| 'providerCredentials'
	| 'providerQuota'
	| 'modelUnsupported'
	| 'modelProvider'
	| 'modelConnection'
	| 'pluginDaemon'
	| 'providerMissing'
	| 'fileUnreachable'
	| 'tooManyRequests'
	| 'rateLimited'
	| 'quota'
	| 'planLimit'
	| 'runFailed'
	| 'cancelled'
	| 'timeout'
	| 'queued'
	| 'fileTooLarge'
	| 'fileType'
	| 'fileRejected'
	| 'featureOff'
	| 'formClosed'
	| 'formRejected'
	| 'dataset'
	| 'knowledgeApiOff'
	| 'knowledgeRate'
	| 'documentBusy'
	| 'nameTaken'
	| 'tagDefect'
	| 'indexingFailed'
	| 'indexingStuck'
	| 'requestFormat'
	| 'routeNotFound'
	| 'webFrontend'
	| 'unknown';

export type FailureKind = NetworkKind | ModelKind | DifyKind;

const UNREACHED: ReadonlySet<FailureKind> = new Set([
	'dns',
	'refused',
	'connectTimeout',
	'unreachable',
	'tlsMismatch',
	'tlsUntrusted',
	'blockedByPolicy',
	'proxy',
]);

/** No connection was made, so that another request would fail in the same way. */
export function isUnreached(kind: FailureKind): boolean {
	return UNREACHED.has(kind);
}

/** Failures after which the same request may be sent again: nothing was started. */
const NOTHING_STARTED: ReadonlySet<FailureKind> = new Set([
	'refused',
	'loading',
	'busy',
	'tooManyRequests',
	'rateLimited',
]);

export function isRetryable(kind: FailureKind): boolean {
	return NOTHING_STARTED.has(kind);
}
