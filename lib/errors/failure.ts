/** A failure as data: its type, its facts, and what the server said of it. */
import { asFiniteNumber } from '../values/numbers';
import type { JsonRecord } from '../values/records';
import type { ErrorType } from './error-types';
import { isDifyCloud } from './error-types';
import type { KnownFacts } from './facts';
import { isMissingStatus } from './missing-route';

/** What is wrong with an input: a sentence of the room that checks it. A row with facts counts more. */
export interface InputWords {
	/** What is wrong, without a full stop. */
	title: string;
	/** The same in full. Default: the title. */
	detail?: string;
	/** What to do about it. Default: what the table says. */
	suggestion?: string;
}

/** What is told from: plain data, of which nothing was worded. */
export interface Failure {
	type: ErrorType;
	/** The type by the response alone, if facts have shown another one. */
	reportedType?: ErrorType;
	/** What is known of its cause. */
	known: KnownFacts;
	/** The first sentence of the server: the title, for who may read it. */
	sentence?: string;
	/** See `ServerError`. */
	place?: string;
	/** See `ServerError`. */
	serverText?: string;
	/** What stands before the title: the label of an option, or the number of a text. */
	heading?: string;
	/** See `ServerError`. */
	field?: string;
	/** See `ServerError`. */
	isFilledByModel?: boolean;
	/** The same request was sent once more, and failed as well. */
	wasSentTwice?: boolean;
	/** HTTP status, if there was a response. */
	status?: number;
	/** What responded is not a model server, and the advice of the type says so. */
	isOtherProgram?: boolean;
	/** Public details. */
	facts?: JsonRecord;
	/** Of an input that was not sent. */
	inputWords?: InputWords;
}

/** What is known of a failure, with what its other parts say. */
export function getKnownFacts(failure: Failure): KnownFacts {
	const { known, type, reportedType = type, status, facts = {}, isOtherProgram } = failure;
	const { sentence, inputWords } = failure;
	const isMissing =
		reportedType === 'routeNotFound' || (reportedType === 'badRequest' && isMissingStatus(status));
	return {
		...known,
		status: status ?? known.status,
		isDifyCloud: isDifyCloud(known) || undefined,
		isConnected: facts.connected === true || undefined,
		hasNoSentence: sentence === undefined || undefined,
		isModelServer: isOtherProgram !== true || undefined,
		isRouteMissing: isMissing || undefined,
		wasSent: facts.queued === true ? undefined : true,
		promptTokens: known.promptTokens ?? asFiniteNumber(facts.n_prompt_tokens),
		contextTokens: known.contextTokens ?? asFiniteNumber(facts.n_ctx),
		responseTokens: known.responseTokens ?? asFiniteNumber(facts.n_predict),
		hasPlainAdvice: inputWords?.suggestion === undefined || undefined,
	};
}
