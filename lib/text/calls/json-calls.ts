/** Calls as JSON, whether between marks or as the complete response. */
import { isRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import type { JsonRecord } from '../../values/records';
import { countSigns, hasDuplicateKeys, splitJson } from '../json-members';
import { TextCursor } from './cursor';
import { MAX_VALUES } from './limits';
import type { JsonMember } from '../json-members';
import type { CallProblem } from '../../rejected-call';

/** What JSON says about a call. */
export interface JsonCall {
	name: string;
	/** JSON text of the arguments; undefined if it states none. */
	arguments: string | undefined;
	problems: readonly CallProblem[];
}

/** Values of `type` that say what OpenAI's format says. */
const CALL_TYPE = /^"(?:function|tool)(?:_(?:call|use))?"$/;
const ARGUMENT_KEYS: ReadonlySet<string> = new Set(['arguments', 'parameters', 'args']);

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
	// OpenAI's format of a definition has `parameters`, that of a call `arguments`.
	if (envelope !== undefined && args === '{}' && stated[0]?.key === 'parameters')
		problems.push('noArguments');
	return { name, arguments: args, problems };
}

function hasTwins(members: readonly JsonMember[]): boolean {
	return new Set(members.map(({ key }) => key)).size < members.length;
}

/** Whether an object has members that a call does not have. */
function hasOtherKeys(members: readonly JsonMember[]): boolean {
	return members.some(
		(member) =>
			member.key !== 'name' && !ARGUMENT_KEYS.has(member.key ?? '') && !isOtherMember(member),
	);
}

/** Whether the object around a call has only the members of OpenAI's format. */
function isEnvelope(members: readonly JsonMember[]): boolean {
	return members.every(isOtherMember);
}

/** Whether a member says nothing else than which call it is, and that it is one. */
function isOtherMember({ key, value }: JsonMember): boolean {
	if (key === 'type') return CALL_TYPE.test(value);
	return (key === 'function' && value.startsWith('{')) || (key === 'id' && !/^[[{]/.test(value));
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
	const args = typeof value === 'string' ? readCompleteJson(value) : source;
	const problem = findArgumentsProblem(args);
	return problem === undefined ? { args } : { problem };
}

/** JSON text in a text that has nothing else; undefined for any other text. */
function readCompleteJson(text: string): string | undefined {
	const cursor = new TextCursor(text.trim());
	const json = cursor.readJson();
	return cursor.isAtEnd ? json : undefined;
}

/** Why JSON text cannot be the arguments of a call; undefined if it can. */
export function findArgumentsProblem(json: string | undefined): CallProblem | undefined {
	if (json === undefined) return 'brokenArguments';
	if (countSigns(json, MAX_VALUES) > MAX_VALUES) return 'tooLarge';
	const value = parseJson(json);
	if (!isRecord(value) || hasInfinity(value)) return 'brokenArguments';
	if (isSchema(value)) return 'notOnlyACall';
	return hasDuplicateKeys(json, value) ? 'ambiguous' : undefined;
}

/** Whether a number is so large that it has no value: `1e999`. */
function hasInfinity(value: unknown): boolean {
	if (typeof value === 'number') return !Number.isFinite(value);
	return typeof value === 'object' && value !== null && Object.values(value).some(hasInfinity);
}

/** Whether arguments are the schema of arguments: then they define a tool instead of calling it. */
function isSchema(value: JsonRecord): boolean {
	if (value.type !== 'object') return false;
	return isRecord(value.properties) || Object.keys(value).length === 1;
}
