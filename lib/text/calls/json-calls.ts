/** Calls as JSON, whether between marks or as the complete response. */
import { isRecord, parseJson } from '../../values';
import { repairJson } from '../literals';
import { hasDuplicateKeys, splitJson } from '../json-members';
import type { JsonMember } from '../json-members';
import type { CallProblem } from './types';

/** What JSON says about a call. */
export interface JsonCall {
	name: string;
	/** JSON text of the arguments; undefined if it states none. */
	arguments: string | undefined;
	problems: readonly CallProblem[];
}

/** Keys of a call beside its name and its arguments. Any other key makes it JSON about something. */
const OTHER_KEYS = new Set(['id', 'type', 'function']);
const ARGUMENT_KEYS = new Set(['arguments', 'parameters']);

/**
 * The call that an object states.
 *
 * @param json valid JSON
 * @returns undefined if it names none
 */
export function parseJsonCall(json: string): JsonCall | undefined {
	const outer = json.startsWith('{') ? splitJson(json) : [];
	const envelope = outer.find(({ key, value }) => key === 'function' && value.startsWith('{'));
	const inner = envelope === undefined ? outer : splitJson(envelope.value);
	const names = inner.filter(({ key }) => key === 'name');
	const name = names.length > 0 ? parseJson(names[0]!.value) : undefined;
	if (typeof name !== 'string') return undefined;
	const stated = inner.filter(({ key = '' }) => ARGUMENT_KEYS.has(key));
	const { args, problem } = parseStatedArguments(stated);
	const problems: CallProblem[] = problem === undefined ? [] : [problem];
	if (names.length > 1 || hasTwins(outer)) problems.push('ambiguous');
	if (hasOtherKeys(inner) || (envelope !== undefined && !isEnvelope(outer)))
		problems.push('notOnlyACall');
	return { name, arguments: args, problems };
}

function hasTwins(members: readonly JsonMember[]): boolean {
	return new Set(members.map(({ key }) => key)).size < members.length;
}

/** Whether an object has keys that a call does not have. */
function hasOtherKeys(members: readonly JsonMember[]): boolean {
	return members.some(
		({ key = '' }) => key !== 'name' && !ARGUMENT_KEYS.has(key) && !OTHER_KEYS.has(key),
	);
}

/** Whether the object around a call has only the keys of OpenAI's format. */
function isEnvelope(members: readonly JsonMember[]): boolean {
	return members.every(({ key = '' }) => OTHER_KEYS.has(key));
}

interface StatedArguments {
	args?: string;
	problem?: CallProblem;
}

function parseStatedArguments(stated: readonly JsonMember[]): StatedArguments {
	if (stated.length > 1) return { problem: 'ambiguous' };
	const source = stated[0]?.value ?? 'null';
	const value = parseJson(source);
	if (value === null || value === '') return { problem: 'noArguments' };
	// OpenAI's format has JSON text.
	const args = typeof value === 'string' ? repairJson(value.trim()) : source;
	if (isSchema(args)) return { problem: 'notOnlyACall' };
	const problem = findArgumentsProblem(args);
	return problem === undefined ? { args } : { problem };
}

/** Why JSON text cannot be the arguments of a call; undefined if it can. */
export function findArgumentsProblem(json: string | undefined): CallProblem | undefined {
	if (json === undefined || !isRecord(parseJson(json))) return 'brokenArguments';
	return hasDuplicateKeys(json) ? 'ambiguous' : undefined;
}

/** Whether JSON text is a schema of arguments: then it defines a tool instead of calling it. */
function isSchema(json: string | undefined): boolean {
	const value = json === undefined ? undefined : parseJson(json);
	if (!isRecord(value) || value.type !== 'object') return false;
	return isRecord(value.properties) || Object.keys(value).length === 1;
}
