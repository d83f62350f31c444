/** The chapter of options that a response names. */
import type { ErrorType } from '../error-types';
import { ERROR_TYPES, isUnknownError } from '../error-types';
import type { NamedOption } from '../facts';
import type { Row } from './row';
import { defineRow } from './row';

/** Errors of which only the server's own sentence says more. */
const UNEXPLAINED: readonly ErrorType[] = ERROR_TYPES.filter(isUnknownError);

/** Their words may be about a value as well: a file, a schema, a prompt. */
const PERHAPS_ABOUT_OPTION: readonly ErrorType[] = [
	'modalityUnsupported',
	'promptTooLong',
	'grammarRejected',
	'featureDisabled',
	'requestTooLarge',
];

export const OPTION_ROWS: readonly Row[] = [
	defineRow({
		types: UNEXPLAINED,
		needs: ['namedOptions'],
		tell: ({ namedOptions }) => namedOptions.map(adviseOnOption).join(' '),
	}),
	defineRow({
		types: PERHAPS_ABOUT_OPTION,
		needs: ['namedOptions'],
		becomes: 'badRequest',
		tell: ({ namedOptions }) => namedOptions.map(adviseOnOption).join(' '),
	}),
];

/** What to do about an option that a server rejects. */
function adviseOnOption({ label, entry, remedy }: NamedOption): string {
	if (entry !== undefined) return `Change ${entry} in "${label}".`;
	return remedy ?? `Change "${label}".`;
}
