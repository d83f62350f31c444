/** What went wrong, in the words of this package. Every kind has its row in `remedies.ts`. */
export type FailureKind =
	// The address and the way to it
	| 'invalidUrl'
	| 'dns'
	| 'refused'
	| 'connectTimeout'
	| 'unreachable'
	| 'tlsMismatch'
	| 'tlsUntrusted'
	| 'notHttp'
	| 'closedBeforeAnswer'
	| 'blockedByPolicy'
	| 'proxy'
	| 'redirect'
	// Limits and cancelling
	| 'firstTokenLimit'
	| 'idleLimit'
	| 'totalLimit'
	| 'progressLimit'
	| 'aborted'
	// Refused by the server
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
	| 'serverError'
	| 'gateway'
	// Answers that are no answer
	| 'notAnApi'
	| 'invalidAnswer'
	| 'streamError'
	| 'streamEndedEarly'
	| 'connectionLost'
	| 'toolCallCut'
	| 'toolCallInvalid'
	| 'onlyThinking'
	| 'emptyAnswer'
	| 'filtered'
	// Before anything was sent
	| 'invalidInput';

export interface FailureDetails {
	kind: FailureKind;
	/** What happened, one sentence, without the URL. */
	message: string;
	/** What to do about it. */
	remedy: string;
	/** The resolved URL the request went to. Never holds a key. */
	url?: string;
	/** HTTP status, where there was an answer. */
	status?: number;
	/** What the server said, shortened to 2,000 characters. */
	serverText?: string;
	/** Text that had arrived before the failure. */
	partialText?: string;
	/** Thinking that had arrived before the failure. */
	partialReasoning?: string;
	/** Further facts as plain data, for example ids or token counts. */
	facts?: Record<string, unknown>;
}

/**
 * The one error of this package's library part. Its `message` says what happened and where, `remedy` what to do;
 * `node-error.ts` turns it into n8n's own error classes.
 */
export class ServerError extends Error {
	readonly kind: FailureKind;
	readonly remedy: string;
	readonly url: string | undefined;
	readonly status: number | undefined;
	readonly serverText: string | undefined;
	readonly partialText: string | undefined;
	readonly partialReasoning: string | undefined;
	readonly facts: Record<string, unknown>;

	constructor(details: FailureDetails) {
		super(details.url === undefined ? details.message : `${details.message} (${details.url})`);
		// Without a `cause`: an undici error carries the request, and with it the key, into logs.
		this.name = 'ServerError';
		this.kind = details.kind;
		this.remedy = details.remedy;
		this.url = details.url;
		this.status = details.status;
		this.serverText = details.serverText?.slice(0, 2000);
		this.partialText = details.partialText;
		this.partialReasoning = details.partialReasoning;
		this.facts = details.facts ?? {};
	}

	/** The same failure with what had been received until then. */
	withPartial(partial: { text?: string; reasoning?: string }): ServerError {
		return this.extend({
			partialText: partial.text || this.partialText,
			partialReasoning: partial.reasoning || this.partialReasoning,
		});
	}

	/** The same failure with further facts, for example a task id. */
	withFacts(facts: Record<string, unknown>): ServerError {
		return this.extend({ facts: { ...this.facts, ...facts } });
	}

	private extend(change: Partial<FailureDetails>): ServerError {
		const suffix = this.url === undefined ? '' : ` (${this.url})`;
		const message =
			suffix !== '' && this.message.endsWith(suffix) ? this.message.slice(0, -suffix.length) : this.message;
		return new ServerError({
			kind: this.kind,
			message,
			remedy: this.remedy,
			url: this.url,
			status: this.status,
			serverText: this.serverText,
			partialText: this.partialText,
			partialReasoning: this.partialReasoning,
			facts: this.facts,
			...change,
		});
	}
}
