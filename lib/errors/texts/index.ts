import type { ErrorType } from '../error-types';
import { DIFY_REMEDIES } from './dify';
import type { ErrorText, ErrorTextParams, ErrorTextBuilder } from './error-text';
import { MODEL_REMEDIES } from './model';
import { NETWORK_REMEDIES } from './network';

export { isLoopback, seconds, type ErrorText, type ErrorTextParams } from './error-text';

const ROWS: Readonly<Record<ErrorType, ErrorTextBuilder>> = {
	...DIFY_REMEDIES,
	...MODEL_REMEDIES,
	...NETWORK_REMEDIES,
};
const DIFY_ROWS: Readonly<Partial<Record<ErrorType, ErrorTextBuilder>>> = DIFY_REMEDIES;

/**
 * Title, meaning and remedy of a kind of failure. The nodes' errors, Server Health and the credential tests use the
 * same rows.
 */
export function remedyFor(kind: ErrorType, facts: ErrorTextParams = {}): ErrorText {
	const own = facts.service === 'dify' ? DIFY_ROWS[kind] : undefined;
	return (own ?? ROWS[kind])(facts);
}
