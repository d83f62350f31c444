/** Creates errors of Dify. */
import type { ErrorOverrides } from '../errors/create-error';
import type { InputWords } from '../errors/failure';
import type { DifyErrorType, ErrorType } from '../errors/error-types';
import type { ServerError } from '../errors/server-error';
import { createServerError } from '../errors/create-error';
import type { RunResult } from './types';
import { getRunIds, toPartialDetails } from './partial-result';

/** What is known of an error of Dify, in addition to its type. */
export interface DifyErrorOverrides extends ErrorOverrides {
	/** Of the failed request. */
	url?: string;
	/** What was received of a failed run. */
	result?: RunResult;
}

/** A Dify error. Texts default to those of its type. */
export function createDifyError(
	type: ErrorType,
	{ url, result, facts, ...overrides }: DifyErrorOverrides = {},
): ServerError {
	return createServerError(
		type,
		{ service: 'dify', url },
		{
			...overrides,
			...(result && toPartialDetails(result)),
			facts: { ...facts, ...(result && getRunIds(result)) },
		},
	);
}

/** What is wrong with a value. Default: what its type says. */
interface WrongValue
	extends
		Partial<Pick<InputWords, 'title' | 'suggestion'>>,
		Pick<ErrorOverrides, 'field' | 'inputProblem' | 'about'> {}

/** An error detected before sending. */
export function createLocalError(
	type: DifyErrorType,
	{ title, suggestion, ...overrides }: WrongValue = {},
): ServerError {
	const inputWords = title === undefined ? undefined : { title, suggestion };
	return createDifyError(type, { ...overrides, inputWords, retryable: false });
}

/** Error for a value that Dify would reject or misread. */
export function createParamError(texts: WrongValue): ServerError {
	return createLocalError('invalidParam', texts);
}
