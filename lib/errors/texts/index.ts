import type { ErrorType } from '../error-types';
import { DIFY_ERROR_TEXTS } from './dify';
import type { ErrorText, ErrorTextParams, ErrorTextBuilder } from './error-text';
import { MODEL_ERROR_TEXTS } from './model';
import { NETWORK_ERROR_TEXTS } from './network';

export { isLoopback, formatDuration, type ErrorText, type ErrorTextParams } from './error-text';

const ROWS: Readonly<Record<ErrorType, ErrorTextBuilder>> = {
	...DIFY_ERROR_TEXTS,
	...MODEL_ERROR_TEXTS,
	...NETWORK_ERROR_TEXTS,
};
const DIFY_ROWS: Readonly<Partial<Record<ErrorType, ErrorTextBuilder>>> = DIFY_ERROR_TEXTS;

/**
 * Title, detail and suggestion of an error type. The nodes' errors, Server Health and the credential tests use the same
 * rows.
 */
export function getErrorText(type: ErrorType, facts: ErrorTextParams = {}): ErrorText {
	const difyText = facts.service === 'dify' ? DIFY_ROWS[type] : undefined;
	return (difyText ?? ROWS[type])(facts);
}
