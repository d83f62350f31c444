/** What a row of the tables of error types contains. */
import type { KnownFacts } from '../facts';

/** The status that a server has after an error. */
export type ErrorHealth = 'unauthorized' | 'loading' | 'degraded' | 'unreachable' | 'misconfigured';

/** What has to change. */
export type ErrorCause =
	/** The request: a value, an ID or a file, which the caller can correct. */
	| 'request'
	/** The request, but only the server's own message says what about it. */
	| 'unknownRequest'
	/** The server, or what n8n knows about it: its address, its key. */
	| 'server'
	/** No connection was made, so any other request would fail in the same way. */
	| 'connection'
	/** Only the server's own message says it. */
	| 'unknown';

/** A sentence, or how it is made of facts. */
export type ErrorSentence = string | ((facts: KnownFacts) => string);

/** The sentences of an error type. */
export interface ErrorSentences {
	/** What happened in a few words, without URL and without a full stop. At most about 80 characters. */
	title: ErrorSentence;
	/** What happened in full, if the title omits something; empty: nothing. */
	detail?: ErrorSentence;
	/** What to do about it. */
	suggestion: ErrorSentence;
}

/** What an error type means, whatever its sentences are. */
export interface ErrorMeaning {
	/** For Server Health. */
	health: ErrorHealth;
	/** For the model of an agent, and for the title. */
	cause: ErrorCause;
}

/** An error type. */
export interface ErrorRow extends ErrorSentences, ErrorMeaning {
	/** What to do on Dify Cloud, whose containers and logs users cannot see. Default: the suggestion. */
	onCloud?: ErrorSentence;
}

/** What differs for Dify, for a type that model servers have as well. */
export type DifyVariant = Partial<Omit<ErrorRow, 'cause'>>;

/** The sentences of an error. */
export interface ErrorText {
	/** What happened in a few words. */
	title: string;
	/** What happened in full, if the title omits something. */
	detail?: string;
	/** What to do about it. */
	suggestion: string;
}

/** The sentences of a row with the facts of one error. */
export function toErrorText(
	{ title, detail = '', suggestion }: ErrorSentences,
	facts: KnownFacts,
): ErrorText {
	const toSentence = (sentence: ErrorSentence) =>
		typeof sentence === 'string' ? sentence : sentence(facts);
	return {
		title: toSentence(title),
		detail: toSentence(detail) || undefined,
		suggestion: toSentence(suggestion),
	};
}
