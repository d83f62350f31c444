/** Rows of the table of texts: what each server type says in place of the words for all. */
import { SERVER_TYPES } from '../../../../lib/servers/types';
import { joinPlaces } from '../../../support/approved/approved-table';
import type { ApprovedRow } from '../../../support/approved/approved-table';

/** What a text that depends on something gets, by its name. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
	missingModel: ['qwen3'],
	context: [8192, 2],
};

/** The texts of a value, by the names on the way to each. */
function listTexts(subject: string, value: unknown): Array<{ subject: string; outcome: string }> {
	if (typeof value === 'string') return [{ subject, outcome: value }];
	if (typeof value === 'function') {
		const name = subject.split(' ').at(-1)!;
		return listTexts(
			subject,
			(value as (...values: unknown[]) => unknown)(...(VALUES[name] ?? [])),
		);
	}
	const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
	return entries.flatMap(([name, inner]) => listTexts(`${subject} ${name}`, inner));
}

export const listServerTexts = (): ApprovedRow[] =>
	joinPlaces(
		Object.entries(SERVER_TYPES).flatMap(([place, { texts }]) =>
			listTexts('server type:', texts).map((row) => ({ ...row, place })),
		),
	);
