import { exactJson } from '../json';
import { invalidParam } from './errors/failure';

/** @throws {ServerError} for text with a number that JavaScript would change: Dify would store or look for another one */
export function checkExact(value: unknown, what: string): void {
	const [inexact] = typeof value === 'string' ? exactJson(value).large : [];
	if (inexact === undefined) return;
	throw invalidParam(
		`${what} has the number ${inexact}, which no number of JavaScript holds exactly`,
		'Keep such numbers in a text.',
	);
}
