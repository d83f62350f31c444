import { invalidInput } from '../errors/failure';
import { isTooDeep, MAX_DEPTH } from '../json';

/**
 * Refuses a JSON schema that would overflow the stack where it is read, copied or sent.
 *
 * @param where the schema, in words: "The JSON schema"
 * @throws {ServerError} of kind `invalidInput`
 */
export function requireDepth(schema: unknown, where: string): void {
	if (!isTooDeep(schema)) return;
	throw invalidInput(
		`${where} is nested too deeply: ${MAX_DEPTH} levels are the most`,
		'Put parts that repeat themselves into $defs, and name them with $ref.',
	);
}
